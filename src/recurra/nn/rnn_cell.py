"""One step of a plain recurrent layer: drop-in for torch.nn.RNNCell, with any activation."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor

from recurra import kernels
from recurra.kernels import Phi, Weights
from recurra.nn._cell import RecurrentCell
from recurra.nn._equation import EquationWeights
from recurra.nn._initialization import Initialization
from recurra.nn._options import read_options


class RNNCell(EquationWeights, RecurrentCell):
    """One step of a plain recurrent layer.

    Y(t) = phi(X(t) W_x + Y(t-1) W_y + b) = phi([X(t) Y(t-1)] W + b)

    `W_x`, `W_y`, `b` and `W` can be read from the cell.

    Args:
        input_size: I, n_inputs.
        hidden_size: H, n_neurons.
        bias: whether there are biases.
        nonlinearity: phi, a name of ONNX's list, an `Activation` with alpha and beta, or any callable that keeps its
            input's shape.
        device, dtype: of the parameters.
        backend: "auto", "native", "torch" or "reference"; one asked for by name serves or raises.
        initialization: "torch" or "keras" (Glorot-uniform and orthogonal kernels, zero biases).
        clip: bound of what goes into phi, which then lies in [-clip, clip].
        zoneout: share of Y(t) that stays Y(t-1): while training at random, drawn anew at each step, in evaluation
            p Y(t-1) + (1 - p) Y(t).
        learned_state: whether the output before the first step is a parameter, `state_h`, rather than zero where no
            state is given.

    Raises:
        ConfigError: (a ValueError) if an argument is out of range or a name unknown.
        DtypeError: (a TypeError) if a size is not an int.

    Source: Géron, Hands-On Machine Learning, equations 15-1 and 15-2; Elman 1990; ONNX operator RNN (clip);
    Krueger et al. 2017 (zoneout).
    """

    _kernel: ClassVar[Any] = kernels.rnn
    _gates: ClassVar[int] = 1
    _own_defaults: ClassVar[Mapping[str, object]] = MappingProxyType({"nonlinearity": "tanh"})

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Phi = "tanh",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        backend: str = "auto",
        initialization: str = "torch",
        clip: float | None = None,
        zoneout: float = 0.0,
        learned_state: bool = False,
    ) -> None:
        given = {"nonlinearity": nonlinearity}
        options = read_options("rnn", given, clip=clip, zoneout=zoneout, learned_state=learned_state)
        super().__init__(input_size, hidden_size, bias, device, dtype, backend, Initialization(initialization), options)
        self.nonlinearity = nonlinearity
        self._built(clip, zoneout, learned_state)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Take one step.

        Args:
            input: [B, I] or [I], the observation X(t).
            hx: [B, H] or [H], the output Y(t-1) of the step before; zeros, or the learned state, if not given.

        Returns:
            The output Y(t), [B, H] or [H].

        Raises:
            ShapeError, DtypeError, DeviceError: if the tensors do not fit the cell.
            BackendUnavailable: if the backend asked for by name cannot serve this call.
        """
        (h,) = self._run(input, None if hx is None else (hx,))
        return h

    def _first_weights(self) -> Weights:
        return self._weights()
