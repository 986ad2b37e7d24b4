"""What RNNCell, LSTMCell and GRUCell share: the parameters of one layer, and a single step of its kernel."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import Module, Parameter, init

from recurra.errors import ConfigError, ShapeError
from recurra.kernels import State, Weights, check_backend_name, zoned_out
from recurra.nn._autocast import autocast_is_on, in_type_of
from recurra.nn._construction import check_sizes
from recurra.nn._initialization import Initialization, initialize
from recurra.nn._options import LayerOptions, Zoneout, draw_masks, shown_options
from recurra.nn._reading import check_types

CELL_DEFAULTS: Mapping[str, object] = MappingProxyType({"clip": None, "zoneout": 0.0, "learned_state": False})
"""The options that all cells have, and what they are if not given."""


class RecurrentCell(Module):
    """One step of one layer; RNNCell, LSTMCell and GRUCell say which recurrence.

    Parameters: `weight_ih` [G*H, I], `weight_hh` [G*H, H], `bias_ih` and `bias_hh` [G*H]; with a learned state
    `state_h` [H] too, and of an LSTM `state_c`. A cell knows no sequence: it has neither recurrent dropout, whose mask
    holds for a whole one, nor a direction. Options are fixed when the cell is built.
    """

    _kernel: ClassVar[Any]
    _gates: ClassVar[int]
    _parts: ClassVar[int] = 1
    _own_defaults: ClassVar[Mapping[str, object]] = MappingProxyType({})

    clip: float | None
    zoneout: Zoneout
    learned_state: bool
    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
        backend: str,
        initialization: Initialization,
        options: LayerOptions,
    ) -> None:
        super().__init__()
        check_sizes(input_size, hidden_size)
        check_backend_name(backend)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bool(bias)  # any value: PyTorch's own tests hand a word in
        self.backend = backend
        self.initialization = initialization.preset
        self._initialization = initialization
        self._options = options
        rows = self._gates * hidden_size
        shapes = {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, hidden_size),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }
        for name, shape in shapes.items():
            if bias or not name.startswith("bias"):
                setattr(self, name, Parameter(torch.empty(shape, device=device, dtype=dtype)))
            else:
                self.register_parameter(name, None)
        self._more_names: list[str | None] = []
        for name, more in self._more_shapes().items():
            if more is not None:
                setattr(self, name, Parameter(torch.empty(more, device=device, dtype=dtype)))
            self._more_names.append(None if more is None else name)
        self._state_names = ("state_h", "state_c")[: self._parts] if options.learned_state else ()
        for name in self._state_names:
            setattr(self, name, Parameter(torch.empty(hidden_size, device=device, dtype=dtype)))
        self.reset_parameters()

    def _built(self, *given: object) -> None:
        """Called at the end of a constructor with the options of `CELL_DEFAULTS`: from here on they are fixed."""
        for name, value in zip(CELL_DEFAULTS, given, strict=True):
            setattr(self, name, value)
        self._is_built = True

    def __setattr__(self, name: str, value: Any) -> None:
        if (name in CELL_DEFAULTS or name in self._own_defaults) and "_is_built" in self.__dict__:
            raise ConfigError(f"{name} is fixed when a cell is built; build another one")
        super().__setattr__(name, value)

    def _more_shapes(self) -> dict[str, tuple[int, ...] | None]:
        """Parameters of options -> their shapes, None if not used, in the order of the fields of Weights."""
        return {}

    def reset_parameters(self) -> None:
        """Set every parameter to its first value again, drawing from torch's default generator."""
        initialize((self._weights(),), self.hidden_size, self._initialization)
        for name in self._state_names:
            init.zeros_(getattr(self, name))

    def extra_repr(self) -> str:
        """The arguments that are not the default ones."""
        shown = [f"{self.input_size}, {self.hidden_size}"]
        defaults: dict[str, object] = {"bias": True, "initialization": "torch", "backend": "auto"}
        defaults |= {**self._own_defaults, **CELL_DEFAULTS}
        return ", ".join(shown + shown_options(self, defaults))

    def _weights(self) -> Weights:
        more = (None if name is None else getattr(self, name) for name in self._more_names)
        return Weights(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, None, *more)

    def first_state(self, x: Tensor) -> State:
        """What a row begins with where no state is given, a part for h and of an LSTM one for c.

        Args:
            x: [B, I], whose rows, type and device it takes.

        Returns:
            Parts [B, H]: zeros, or the learned ones.
        """
        if self._state_names:
            parts = (getattr(self, name) for name in self._state_names)
            return tuple(part.to(x.dtype).expand(x.shape[0], -1) for part in parts)
        return tuple(x.new_zeros(x.shape[0], self.hidden_size) for _ in range(self._parts))

    def _run(self, input: Tensor, hx: State | None) -> State:
        if autocast_is_on(self.weight_ih):
            with torch.autocast("cpu", enabled=False):
                state = None if hx is None else tuple(in_type_of(self.weight_ih, part) for part in hx)
                return self._run(in_type_of(self.weight_ih, input), state)
        name = type(self).__name__
        check_types(name, input, hx, self._parts)
        if input.dim() not in (1, 2):
            raise ShapeError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for k, part in enumerate(hx or ()):
            if part.dim() not in (1, 2):
                which = "hidden" if self._parts == 1 else f"hx[{k}]"
                raise ShapeError(f"{name}: Expected {which} to be 1D or 2D, got {part.dim()}D instead")
        batched = input.dim() == 2
        x = input if batched else input.unsqueeze(0)
        if hx is None:
            hx = self.first_state(x)
        elif not batched:
            hx = tuple(part.unsqueeze(0) for part in hx)
        after: State = self._kernel.cell(x, hx, self._weights(), options=self._options.kernel, backend=self.backend)
        if self._options.zoneout:
            after = self._zoned_out(hx, after)
        return after if batched else tuple(part.squeeze(0) for part in after)

    def _zoned_out(self, before: State, after: State) -> State:
        """Zoneout of one step, drawn anew while training."""
        sizes = 1, 1, before[0].shape[0]
        masks = draw_masks(self._options, self.training, after[0], sizes, (self.hidden_size,) * self._parts)
        assert masks is not None
        keep = (p[0, 0] if isinstance(p, Tensor) else p for p in (masks.keep_h, masks.keep_c))
        return zoned_out(list(keep), before, after)
