"""What RNN, LSTM and GRU share: their parameters, and the way from a layer's input to its kernel and back."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor
from torch.nn import Module, Parameter, init
from torch.nn.utils.rnn import PackedSequence

from recurra.errors import ConfigError, ShapeError, StreamingUnsupported
from recurra.kernels import PARTS, Choice, Masks, Stack, State, Weights
from recurra.kernels.freezing import can_freeze, pack_layers
from recurra.nn._autocast import autocast_is_on, in_type_of
from recurra.nn._construction import check_flag, check_layer, check_sizes
from recurra.nn._cudnn import flatten_for_cudnn
from recurra.nn._initialization import Initialization, initialize
from recurra.nn._options import OPTION_DEFAULTS, LayerOptions, Zoneout, draw_masks, shown_options
from recurra.nn._reading import Expected, Lengths, Reading, check_types, read, restore

Self = TypeVar("Self", bound="Recurrent")

_ONE_LAYER = {(two, first): Stack(1, two, first) for two in (False, True) for first in (False, True)}


class Recurrent(Module):
    """A stack of recurrent layers; RNN, LSTM and GRU say which recurrence.

    Parameters of layer k are `weight_ih_l{k}` [G*H, I or D*P], `weight_hh_l{k}` [G*H, P], `bias_ih_l{k}` and
    `bias_hh_l{k}` [G*H], for an LSTM with projection `weight_hr_l{k}` [P, H]; those of the reverse direction end in
    `_reverse`. With a learned state there are `state_h_l{k}` [P] too, and of an LSTM `state_c_l{k}` [H].

    Options are fixed when the layer is built; to change one, build another layer.
    """

    _kernel: ClassVar[Any]
    _gates: ClassVar[int]
    _mode: ClassVar[str]
    _own_defaults: ClassVar[Mapping[str, object]] = MappingProxyType({})

    clip: float | None
    recurrent_dropout: float
    zoneout: Zoneout
    learned_state: bool
    reverse: bool

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
        backend: str,
        initialization: Initialization,
        recompute: bool,
        options: LayerOptions,
    ) -> None:
        super().__init__()
        check_sizes(input_size, hidden_size)
        check_layer(num_layers, bias, batch_first, dropout, proj_size, hidden_size, backend)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self.backend = backend
        self.recompute = check_flag("recompute", recompute)
        self._is_frozen = False
        self._frozen: tuple[object, ...] | None = None
        self.initialization = initialization.preset
        self._initialization = initialization
        self._options = options
        self._names: list[tuple[str | None, ...]] = []
        self._shapes: list[tuple[int, ...] | None] = []
        self._state_names: list[tuple[str, ...]] = []
        for layer in range(num_layers):
            for direction in range(2 if bidirectional else 1):
                self._register(layer, "_reverse" if direction else "", device, dtype)
        self._flat_names = [name for names in self._names for name in names[:PARTS]]
        self.flatten_parameters()
        self.reset_parameters()

    def _built(self, *given: object) -> None:
        """Called at the end of a constructor with the options of `OPTION_DEFAULTS`: from here on they are fixed."""
        for name, value in zip(OPTION_DEFAULTS, given, strict=True):
            setattr(self, name, value)
        quick = self._quick_arguments()
        self._has_plain_kernel = quick is not None
        self._has_plain_equations = self._has_plain_kernel and not self._options.zoneout
        self._quick = quick if self._options.has_plain_modules else None

    def _register(self, layer: int, suffix: str, device: torch.device | str | None, dtype: torch.dtype | None) -> None:
        gates, width = self._gates * self.hidden_size, self._output_width
        inputs = self.input_size if layer == 0 else width * (2 if self.bidirectional else 1)
        shapes = {
            "weight_ih": (gates, inputs),
            "weight_hh": (gates, width),
            "bias_ih": (gates,) if self.bias else None,
            "bias_hh": (gates,) if self.bias else None,
            "weight_hr": (self.proj_size, self.hidden_size) if self.proj_size else None,
        }
        self._shapes += shapes.values()
        names: list[str | None] = []
        for part, shape in (shapes | self._more_shapes()).items():
            name = None if shape is None else f"{part}_l{layer}{suffix}"
            if name is not None and shape is not None:
                setattr(self, name, Parameter(torch.empty(shape, device=device, dtype=dtype)))
            names.append(name)
        self._names.append(tuple(names))
        if self._options.learned_state:
            states = tuple(f"{part}_l{layer}{suffix}" for part in ("state_h", "state_c")[: len(self._state_widths)])
            for name, size in zip(states, self._state_widths, strict=True):
                setattr(self, name, Parameter(torch.empty(size, device=device, dtype=dtype)))
            self._state_names.append(states)

    def _more_shapes(self) -> dict[str, tuple[int, ...] | None]:
        """Parameters of options -> their shapes, None if not used, in the order of the fields of Weights."""
        return {}

    def reset_parameters(self) -> None:
        """Set every parameter to its first value again, drawing from torch's default generator."""
        initialize(self._weights(), self.hidden_size, self._initialization)
        for names in self._state_names:
            for name in names:
                init.zeros_(getattr(self, name))

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction, as torch.nn lists them."""
        return [[getattr(self, name) for name in names if name is not None] for names in self._names]

    def flatten_parameters(self) -> None:
        """On CUDA, lay the parameters side by side as cuDNN wants them; elsewhere do nothing."""
        flat = [getattr(self, name, None) for name in self._flat_names if name is not None]
        sizes = self.input_size, self.hidden_size, self.proj_size, self.num_layers
        flatten_for_cudnn(flat, self.mode, sizes, self.batch_first, self.bidirectional)

    @property
    def mode(self) -> str:
        """PyTorch's name of the recurrence."""
        return self._mode

    def extra_repr(self) -> str:
        """The arguments that are not the default ones."""
        shown = [f"{self.input_size}, {self.hidden_size}"]
        defaults: dict[str, object] = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
        }
        defaults |= {"bidirectional": False, "initialization": "torch", "backend": "auto", "recompute": False}
        defaults |= {**self._own_defaults, **OPTION_DEFAULTS}
        return ", ".join(shown + shown_options(self, defaults))

    @property
    def _output_width(self) -> int:
        return self.proj_size or self.hidden_size

    @property
    def _state_widths(self) -> tuple[int, ...]:
        return (self.hidden_size,)

    def _quick_arguments(self) -> dict[str, Any] | None:
        """What the kernel's quick way takes, or None if the layer has options that it does not know."""
        return None

    def __setattr__(self, name: str, value: Any) -> None:
        if (name in OPTION_DEFAULTS or name in self._own_defaults) and "_quick" in self.__dict__:
            raise ConfigError(f"{name} is fixed when a layer is built; build another one")
        super().__setattr__(name, value)

    def _weights(self) -> tuple[Weights, ...]:
        return tuple(
            Weights(*(None if name is None else getattr(self, name) for name in names))  # type: ignore[arg-type]
            for names in self._names
        )

    def _expected(self) -> Expected:
        first = None
        if self._state_names:
            parts = zip(*self._state_names, strict=True)
            first = tuple(torch.stack([getattr(self, name) for name in names]) for names in parts)
        return Expected(type(self).__name__, self.batch_first, self._state_widths, len(self._names), first)

    def _arguments(self, r: Reading, *, draw: bool = True) -> dict[str, object]:
        layout = self.num_layers, self.bidirectional, self.batch_first
        stack = Stack(*layout, self.dropout, self.training, self.recompute, self._packed(), self._masks(r, draw))
        return {
            "stack": stack,
            "lengths": r.lengths,
            "batch_sizes": None if r.packed is None else r.packed.batch_sizes,
            "options": self._options.kernel,
            "backend": self.backend,
        }

    def _masks(self, r: Reading, draw: bool) -> Masks | None:
        options = self._options
        if not (options.recurrent_dropout or options.zoneout):
            return None
        steps = r.x.shape[1 if self.batch_first else 0] if r.packed is None else len(r.packed.batch_sizes)
        sizes = len(self._names), steps, r.state[0].shape[1]
        return draw_masks(options, self.training, r.x, sizes, self._state_widths, draw=draw)

    def _run(
        self, input: Tensor | PackedSequence, hx: State | None, lengths: Lengths | None
    ) -> tuple[Tensor | PackedSequence, State]:
        if hx is None and lengths is None and self.num_layers == 1 and (quick := self._quick) is not None:
            done = self._run_quick(input, quick)
            if done is not None:
                return done
        weight = getattr(self, self._flat_names[0] or "")
        if autocast_is_on(weight):
            with torch.autocast("cpu", enabled=False):
                state = None if hx is None else tuple(in_type_of(weight, part) for part in hx)
                return self._run(in_type_of(weight, input), state, lengths)
        expected = self._expected()
        r = read(input, hx, lengths, expected)
        arguments = self._arguments(r)
        output, state = self._kernel.sequence(r.x, r.state, self._weights(), **arguments)
        return restore(r, output, state, expected.batch_dim)

    def _run_quick(self, input: object, options: dict[str, Any]) -> tuple[Tensor, State] | None:
        """The most usual call, by the native kernels, with little around it; None where it does not apply."""
        if self.backend not in ("auto", "native"):
            return None
        parameters = self._parameters
        flat = [None if name is None else parameters.get(name) for name in self._flat_names]
        stack = _ONE_LAYER[self.bidirectional, self.batch_first]
        if self.recompute or self._is_frozen:
            stack = replace(stack, recompute=self.recompute, frozen=self._packed())
        done: tuple[Tensor, State] | None = self._kernel.quick(input, flat, self._shapes, stack, **options)
        return done

    def _run_step(self, x_t: Tensor, state: State | None) -> tuple[Tensor, State]:
        self._check_streams()
        if self.training and self._options.recurrent_dropout:
            raise StreamingUnsupported(
                f"{type(self).__name__} trains with recurrent_dropout, one mask for a whole sequence: give it whole "
                "sequences, or call eval() before going step by step"
            )
        check_types("step", x_t, state, len(self._state_widths))
        if x_t.dim() not in (1, 2):
            raise ShapeError(f"step: Expected one observation to be 1D or 2D, got {x_t.dim()}D tensor instead")
        time = 1 if self.batch_first and x_t.dim() == 2 else 0
        output, state = self._run(x_t.unsqueeze(time), state, None)
        assert isinstance(output, Tensor)
        return output.squeeze(time), state

    def _check_streams(self) -> None:
        """Refuse a layer that needs the future.

        Raises:
            StreamingUnsupported: if it is bidirectional, or runs in reverse.
        """
        if self.bidirectional:
            raise StreamingUnsupported(
                f"{type(self).__name__} is bidirectional: its reverse direction begins at the last step, so it cannot "
                "go step by step; build it with bidirectional=False"
            )
        if self._options.kernel.reverse:
            raise StreamingUnsupported(
                f"{type(self).__name__} runs in reverse: it begins at the last step, so it cannot go step by step; "
                "build it with reverse=False"
            )

    def freeze(self: Self, frozen: bool = True) -> Self:
        """Keep the weights packed from call to call, as the native kernels read them; for use, not for training.

        Calls without gradients then pack nothing, which counts for few rows and steps. A weight that changes, in
        whatever way, is noticed at the next call, and the weights are packed again. Copies and saved layers are frozen
        too, and pack for themselves. On other backends this does nothing.

        Args:
            frozen: False lets go of what is packed.

        Returns:
            The layer.
        """
        self._is_frozen, self._frozen = check_flag("frozen", frozen), None
        self._packed()
        return self

    @property
    def _recurrence(self) -> str:
        """The name of the recurrence in `recurra.kernels.freezing.KINDS`."""
        return self._mode.lower()

    def _packed(self) -> tuple[object, ...] | None:
        if torch.compiler.is_compiling():
            return None
        if (
            self._is_frozen
            and self._frozen is None
            and self._has_plain_kernel
            and can_freeze(weights := self._weights())
        ):
            self._frozen = pack_layers(self._recurrence, weights, 2 if self.bidirectional else 1)
        return self._frozen

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()  # type: ignore[no-untyped-call]
        return {**state, "_frozen": None}

    def explain_backend(
        self,
        input: Tensor | PackedSequence | None = None,
        hx: Any = None,
        *,
        lengths: Lengths | None = None,
    ) -> Choice:
        """Which backend would serve this call, and why the others would not; printable.

        Args:
            input: as in a call; without one, one row of one observation is taken.
            hx: as in a call.
            lengths: as in a call.

        Returns:
            The choice: `name` of the backend (None if the one asked for cannot serve) and `reasons` of the others.
        """
        if input is None:
            first = next(self.parameters())
            input = torch.zeros((1, 1, self.input_size), device=first.device, dtype=first.dtype)
        r = read(input, (hx,) if isinstance(hx, Tensor) else hx, lengths, self._expected())
        arguments = self._arguments(r, draw=False)
        choice: Choice = self._kernel.explain(r.x, r.state, self._weights(), **arguments)
        return choice

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        moved = super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._frozen = None
        self.flatten_parameters()
        return moved


def check_recurrent(layer: object) -> None:
    """Refuse what is no layer of ours.

    Raises:
        ConfigError: if it is none.
    """
    if not isinstance(layer, Recurrent):
        raise ConfigError(f"expected an RNN, LSTM or GRU of recurra.nn, got: {type(layer).__name__}")
