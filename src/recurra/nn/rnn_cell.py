"""One step of a plain recurrent layer: drop-in for torch.nn.RNNCell, with any activation."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from recurra import kernels
from recurra.kernels import Activation, Weights, resolve_activation
from recurra.nn._cell import RecurrentCell
from recurra.nn._equation import EquationWeights
from recurra.nn._initialization import Initialization


class RNNCell(EquationWeights, RecurrentCell):
    """One step of a plain recurrent layer.

    Y(t) = phi(X(t) W_x + Y(t-1) W_y + b) = phi([X(t) Y(t-1)] W + b)

    `W_x`, `W_y`, `b` and `W` can be read from the cell.

    Args:
        input_size: I, n_inputs.
        hidden_size: H, n_neurons.
        bias: whether there are biases.
        nonlinearity: phi, a name of `recurra.kernels.ACTIVATIONS` or any callable that keeps its input's shape.
        device, dtype: of the parameters.
        backend: "auto", "native", "torch" or "reference"; one asked for by name serves or raises.
        initialization: "torch" or "keras" (Glorot-uniform and orthogonal kernels, zero biases).

    Raises:
        ConfigError: (a ValueError) if an argument is out of range, or a name unknown.
        DtypeError: (a TypeError) if a size is not an int.

    Source: Géron, Hands-On Machine Learning, equations 15-1 and 15-2; Elman 1990.
    """

    _kernel: ClassVar[Any] = kernels.rnn
    _gates: ClassVar[int] = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Activation = "tanh",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        backend: str = "auto",
        initialization: str = "torch",
    ) -> None:
        resolve_activation(nonlinearity)
        super().__init__(input_size, hidden_size, bias, device, dtype, backend, Initialization(initialization))
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Take one step.

        Args:
            input: [B, I] or [I], the observation X(t).
            hx: [B, H] or [H], the output Y(t-1) of the step before; zeros if not given.

        Returns:
            The output Y(t), [B, H] or [H].

        Raises:
            ShapeError, DtypeError, DeviceError: if the tensors do not fit the cell.
            BackendUnavailable: if the backend asked for by name cannot serve this call.
        """
        (h,) = self._run(input, None if hx is None else (hx,))
        return h

    def extra_repr(self) -> str:
        """The arguments that are not the default ones."""
        name = getattr(self.nonlinearity, "__name__", self.nonlinearity)
        return super().extra_repr() + ("" if name == "tanh" else f", nonlinearity={name}")

    def _options(self) -> dict[str, object]:
        return {"activation": self.nonlinearity}

    def _first_weights(self) -> Weights:
        return self._weights()
