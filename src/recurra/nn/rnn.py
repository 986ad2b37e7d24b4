"""The plain recurrent layer: drop-in for torch.nn.RNN, with any activation."""

from typing import Any, ClassVar, TypeVar, cast

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from recurra import kernels
from recurra.kernels import Activation, Weights, resolve_activation
from recurra.nn._equation import EquationWeights
from recurra.nn._initialization import Initialization
from recurra.nn._reading import Lengths
from recurra.nn._recurrent import Recurrent

Input = TypeVar("Input", Tensor, PackedSequence)


class RNN(EquationWeights, Recurrent):
    """Plain recurrent layers.

    Y(t) = phi(X(t) W_x + Y(t-1) W_y + b) = phi([X(t) Y(t-1)] W + b), and for one instance
    y(t) = phi(W_x^T x(t) + W_y^T y(t-1) + b); before the first step the outputs are zero.

    `W_x`, `W_y`, `b` and `W` can be read from the layer.

    Args:
        input_size: I, n_inputs.
        hidden_size: H, n_neurons.
        num_layers: L, layers, each reading the outputs of the one before.
        nonlinearity: phi, a name ("tanh", "relu", "sigmoid", or another of `recurra.kernels.ACTIVATIONS`) or any
            callable that keeps its input's shape.
        bias: whether there are biases.
        batch_first: whether batched input and output are [B, T, ...] rather than [T, B, ...].
        dropout: share of each layer's outputs, but the last one's, set to zero while training.
        bidirectional: whether a second set of layers reads from the last step to the first.
        device, dtype: of the parameters.
        backend: "auto", "native", "torch" or "reference"; one asked for by name serves or raises.
        initialization: "torch" or "keras" (Glorot-uniform and orthogonal kernels, zero biases).
        recompute: accepted as by LSTM and GRU; an RNN keeps nothing but its outputs anyway.

    Raises:
        ConfigError: (a ValueError) if an argument is out of range, or a name unknown.
        DtypeError: (a TypeError) if an argument is of the wrong type.

    Source: Géron, Hands-On Machine Learning, equations 15-1 and 15-2; Elman 1990.

    >>> layer = RNN(3, 5, batch_first=True)
    >>> y, h = layer(torch.zeros(2, 4, 3), lengths=[4, 1])
    >>> y.shape, h.shape
    (torch.Size([2, 4, 5]), torch.Size([1, 2, 5]))
    """

    _kernel: ClassVar[Any] = kernels.rnn
    _gates: ClassVar[int] = 1
    _mode: ClassVar[str] = "RNN"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: Activation = "tanh",
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
    ) -> None:
        resolve_activation(nonlinearity)
        self._is_relu = isinstance(nonlinearity, str) and nonlinearity == "relu"
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
        )
        self.nonlinearity = nonlinearity

    @property
    def mode(self) -> str:
        """PyTorch's name of the recurrence."""
        return "RNN_RELU" if self._is_relu else "RNN_TANH"

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

    def extra_repr(self) -> str:
        """The arguments that are not the default ones."""
        name = getattr(self.nonlinearity, "__name__", self.nonlinearity)
        return super().extra_repr() + ("" if name == "tanh" else f", nonlinearity={name}")

    def _options(self) -> dict[str, object]:
        return {"activation": self.nonlinearity}

    def _first_weights(self) -> Weights:
        return self._weights()[0]
