"""The gated recurrent unit: drop-in for torch.nn.GRU."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, cast

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from recurra import kernels
from recurra.kernels import Options, Phi
from recurra.nn._construction import check_flag
from recurra.nn._initialization import Initialization
from recurra.nn._options import read_options
from recurra.nn._reading import Lengths
from recurra.nn._recurrent import Recurrent

Input = TypeVar("Input", Tensor, PackedSequence)


class GRU(Recurrent):
    """Gated recurrent units; the reset gate acts after the recurrent product, or before it.

    r = sigma(x W_r + h U_r + b_r);  z = sigma(x W_z + h U_z + b_z);
    n = tanh(x W_n + b_in + r * (h U_n + b_hn)), or with reset_after=False n = tanh(x W_n + b_in + (r * h) U_n + b_hn);
    h' = z * h + (1 - z) * n

    Args:
        input_size: I, n_inputs.
        hidden_size: H, n_neurons.
        num_layers: L, layers, each reading the outputs of the one before.
        bias: whether there are biases.
        batch_first: whether batched input and output are [B, T, ...] rather than [T, B, ...].
        dropout: share of each layer's outputs, but the last one's, set to zero while training.
        bidirectional: whether a second set of layers reads from the last step to the first.
        device, dtype: of the parameters.
        backend: "auto", "native", "torch" or "reference"; one asked for by name serves or raises.
        initialization: "torch" or "keras" (Glorot-uniform and orthogonal kernels, zero biases).
        recompute: whether training keeps the states between parts of the sequence instead of all gates, and computes
            them again: less memory for long sequences, more time. On the native backend, and not for an RNN, which
            keeps its outputs only.
        reset_after: whether the reset gate acts after the recurrent product (PyTorch, cuDNN) or before it (the paper).
        gate_activation, candidate_activation: what stands in the place of sigma and of tanh: a name of ONNX's list, an
            `Activation` with alpha and beta, or any callable that keeps its input's shape.
        clip: bound of what goes into the activations, which then lies in [-clip, clip].
        recurrent_dropout: share p of h that is zero where it enters the products with U, the rest times 1/(1 - p); the
            same neurons in all steps of a row, drawn anew for each call while training.
        zoneout: share of h' that stays h: while training at random at each step, in evaluation p h + (1 - p) h'.
        learned_state: whether the output before the first step is a parameter, `state_h_l{k}`, rather than zero.
        reverse: whether a one-directional layer runs from each row's last valid step to its first.

    Raises:
        ConfigError: (a ValueError) if an argument is out of range, a name unknown, or two do not go together.
        DtypeError: (a TypeError) if an argument is of the wrong type.

    Source: Cho et al. 2014 (reset before), and the variant of PyTorch and cuDNN (reset after); ONNX operator GRU (clip,
    activations); Gal & Ghahramani 2016 (recurrent dropout); Krueger et al. 2017 (zoneout); gate order r z n.

    >>> layer = GRU(3, 5, batch_first=True)
    >>> y, h = layer(torch.zeros(2, 4, 3), lengths=[4, 1])
    >>> y.shape, h.shape
    (torch.Size([2, 4, 5]), torch.Size([1, 2, 5]))
    """

    _kernel: ClassVar[Any] = kernels.gru
    _gates: ClassVar[int] = 3
    _mode: ClassVar[str] = "GRU"
    _own_defaults: ClassVar[Mapping[str, object]] = MappingProxyType(
        {"reset_after": True, "gate_activation": "sigmoid", "candidate_activation": "tanh"}
    )

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        backend: str = "auto",
        initialization: str = "torch",
        recompute: bool = False,
        reset_after: bool = True,
        gate_activation: Phi = "sigmoid",
        candidate_activation: Phi = "tanh",
        clip: float | None = None,
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        learned_state: bool = False,
        reverse: bool = False,
    ) -> None:
        options = read_options(
            "gru",
            {"gate_activation": gate_activation, "candidate_activation": candidate_activation},
            clip=clip,
            zoneout=zoneout,
            learned_state=learned_state,
            recurrent_dropout=recurrent_dropout,
            reverse=reverse,
            bidirectional=bidirectional,
            of_kernel={"reset_after": check_flag("reset_after", reset_after)},
        )
        how = Initialization(initialization)
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            0,
            device,
            dtype,
            backend,
            how,
            recompute,
            options,
        )
        self.reset_after = reset_after
        self.gate_activation = gate_activation
        self.candidate_activation = candidate_activation
        self._built(clip, recurrent_dropout, zoneout, learned_state, reverse)

    def forward(
        self, input: Input, hx: Tensor | None = None, *, lengths: Lengths | None = None
    ) -> tuple[Input, Tensor]:
        """Run the layers over a sequence.

        Args:
            input: [T, B, I], [B, T, I] if batch_first, [T, I] without rows, or a PackedSequence.
            hx: [L*D, B, H], or [L*D, H] without rows: the outputs before the first step; zeros if not given.
            lengths: [B], valid steps of each row of a padded batch, in any order, 0 allowed; None if all are valid.

        Returns:
            The last layer's outputs in the form of the input, width D*H, zero past a row's length; and each
            layer's output after each row's own last valid step, [L*D, B, H]. The reverse direction begins at
            each row's own last valid step. A row of length 0 keeps its initial state.

        Raises:
            ShapeError, DtypeError, DeviceError: if the tensors do not fit the layer.
            BackendUnavailable: if the backend asked for by name cannot serve this call.
        """
        output, (h,) = self._run(input, None if hx is None else (hx,), lengths)
        return cast(Input, output), h

    def step(self, x_t: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Take one observation; equal to a call with a sequence of one step.

        Args:
            x_t: [B, I] or [I].
            state: [L, B, H] or [L, H], from the step before; zeros if not given.

        Returns:
            The output [B, H] or [H], and the state to hand to the next step.

        Raises:
            StreamingUnsupported: if the layer is bidirectional.
            ShapeError, DtypeError, DeviceError, BackendUnavailable: as a call.
        """
        output, (h,) = self._run_step(x_t, None if state is None else (state,))
        return output, h

    def _quick_arguments(self) -> dict[str, Any] | None:
        plain = Options(reset_after=self._options.kernel.reset_after)
        return {"reset_after": plain.reset_after} if self._options.kernel == plain else None

    @property
    def _recurrence(self) -> str:
        return "gru" if self.reset_after else "gru_before"
