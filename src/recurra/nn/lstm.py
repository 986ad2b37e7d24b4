"""The long short-term memory: drop-in for torch.nn.LSTM, projection included."""

from typing import Any, ClassVar, TypeVar, cast

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from recurra import kernels
from recurra.nn._initialization import lstm_initialization
from recurra.nn._reading import Lengths
from recurra.nn._recurrent import Recurrent

Input = TypeVar("Input", Tensor, PackedSequence)


class LSTM(Recurrent):
    """Long short-term memories.

    i, f, g, o = split(x W + h U + b);  c' = sigma(f) * c + sigma(i) * tanh(g);  h' = sigma(o) * tanh(c'),
    with a projection h' = (sigma(o) * tanh(c')) W_hr.

    Args:
        input_size: I, n_inputs.
        hidden_size: H, n_neurons.
        num_layers: L, layers, each reading the outputs of the one before.
        bias: whether there are biases.
        batch_first: whether batched input and output are [B, T, ...] rather than [T, B, ...].
        dropout: share of each layer's outputs, but the last one's, set to zero while training.
        bidirectional: whether a second set of layers reads from the last step to the first.
        proj_size: P, width of the projected output; 0 for none.
        device, dtype: of the parameters.
        backend: "auto", "native", "torch" or "reference"; one asked for by name serves or raises.
        initialization: "torch" or "keras" (Glorot-uniform and orthogonal kernels, zero biases, forget bias 1).
        recompute: whether training keeps the states between parts of the sequence instead of all gates, and computes
            them again: less memory for long sequences, more time. On the native backend, and not for an RNN, which
            keeps its outputs only.
        forget_bias: what both biases of the forget gate add up to at the start; None leaves it to the preset.

    Raises:
        ConfigError: (a ValueError) if an argument is out of range, a name unknown, or a forget bias given
            without biases.
        DtypeError: (a TypeError) if an argument is of the wrong type.

    Source: Hochreiter & Schmidhuber 1997, Gers et al. 2000 (forget gate), Sak et al. 2014 (projection),
    Jozefowicz et al. 2015 (forget bias); gate order i f g o as in PyTorch.

    >>> layer = LSTM(3, 5, batch_first=True)
    >>> y, (h, c) = layer(torch.zeros(2, 4, 3), lengths=[4, 1])
    >>> y.shape, h.shape, c.shape
    (torch.Size([2, 4, 5]), torch.Size([1, 2, 5]), torch.Size([1, 2, 5]))
    """

    _kernel: ClassVar[Any] = kernels.lstm
    _gates: ClassVar[int] = 4
    _mode: ClassVar[str] = "LSTM"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        backend: str = "auto",
        initialization: str = "torch",
        recompute: bool = False,
        forget_bias: float | None = None,
    ) -> None:
        how = lstm_initialization(initialization, forget_bias, bias)
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
            backend,
            how,
            recompute,
        )
        self.forget_bias = forget_bias

    def forward(
        self, input: Input, hx: tuple[Tensor, Tensor] | None = None, *, lengths: Lengths | None = None
    ) -> tuple[Input, tuple[Tensor, Tensor]]:
        """Run the layers over a sequence.

        Args:
            input: [T, B, I], [B, T, I] if batch_first, [T, I] without rows, or a PackedSequence.
            hx: outputs [L*D, B, P] and cells [L*D, B, H] before the first step, without B where the input has no
                rows; zeros if not given.
            lengths: [B], valid steps of each row of a padded batch, in any order, 0 allowed; None if all are valid.

        Returns:
            The last layer's outputs in the form of the input, width D*P, zero past a row's length; and each
            layer's output and cell after each row's own last valid step. The reverse direction begins at each
            row's own last valid step. A row of length 0 keeps its initial state.

        Raises:
            ShapeError, DtypeError, DeviceError: if the tensors do not fit the layer.
            BackendUnavailable: if the backend asked for by name cannot serve this call.
        """
        output, (h, c) = self._run(input, None if hx is None else tuple(hx), lengths)
        return cast(Input, output), (h, c)

    def step(self, x_t: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Take one observation; equal to a call with a sequence of one step.

        Args:
            x_t: [B, I] or [I].
            state: [L, B, P] and [L, B, H], or without B, from the step before; zeros if not given.

        Returns:
            The output [B, P] or [P], and the state to hand to the next step.

        Raises:
            StreamingUnsupported: if the layer is bidirectional.
            ShapeError, DtypeError, DeviceError, BackendUnavailable: as a call.
        """
        output, (h, c) = self._run_step(x_t, None if state is None else tuple(state))
        return output, (h, c)

    def extra_repr(self) -> str:
        """The arguments that are not the default ones."""
        return super().extra_repr() + ("" if self.forget_bias is None else f", forget_bias={self.forget_bias}")

    @property
    def _state_widths(self) -> tuple[int, ...]:
        return (self._output_width, self.hidden_size)
