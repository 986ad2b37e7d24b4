"""One step of a long short-term memory: drop-in for torch.nn.LSTMCell."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from recurra import kernels
from recurra.nn._cell import RecurrentCell
from recurra.nn._initialization import lstm_initialization


class LSTMCell(RecurrentCell):
    """One step of a long short-term memory.

    i, f, g, o = split(x W + h U + b);  c' = sigma(f) * c + sigma(i) * tanh(g);  h' = sigma(o) * tanh(c')

    Args:
        input_size: I, n_inputs.
        hidden_size: H, n_neurons.
        bias: whether there are biases.
        device, dtype: of the parameters.
        backend: "auto", "native", "torch" or "reference"; one asked for by name serves or raises.
        initialization: "torch" or "keras" (Glorot-uniform and orthogonal kernels, zero biases, forget bias 1).
        forget_bias: what both biases of the forget gate add up to at the start; None leaves it to the preset.

    Raises:
        ConfigError: (a ValueError) if an argument is out of range, a name unknown, or a forget bias given
            without biases.
        DtypeError: (a TypeError) if a size is not an int.

    Source: Hochreiter & Schmidhuber 1997, Gers et al. 2000 (forget gate); gate order i f g o as in PyTorch.
    """

    _kernel: ClassVar[Any] = kernels.lstm
    _gates: ClassVar[int] = 4
    _parts: ClassVar[int] = 2

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        backend: str = "auto",
        initialization: str = "torch",
        forget_bias: float | None = None,
    ) -> None:
        how = lstm_initialization(initialization, forget_bias, bias)
        super().__init__(input_size, hidden_size, bias, device, dtype, backend, how)
        self.forget_bias = forget_bias

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Take one step.

        Args:
            input: [B, I] or [I], the observation.
            hx: output and cell of the step before, each [B, H] or [H]; zeros if not given.

        Returns:
            The output h' and the cell c', each [B, H] or [H].

        Raises:
            ShapeError, DtypeError, DeviceError: if the tensors do not fit the cell.
            BackendUnavailable: if the backend asked for by name cannot serve this call.
        """
        h, c = self._run(input, None if hx is None else tuple(hx))
        return h, c
