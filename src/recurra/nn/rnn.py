"""The plain recurrent layer: drop-in for torch.nn.RNN, with any activation."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, cast

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from recurra import kernels
from recurra.kernels import USUAL, Activation, Options, Phi, Weights
from recurra.nn._equation import EquationWeights
from recurra.nn._initialization import Initialization
from recurra.nn._options import read_options
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
        nonlinearity: phi, a name ("tanh", "relu", "sigmoid", or another of ONNX's list), an `Activation` with alpha
            and beta, or any callable that keeps its input's shape.
        bias: whether there are biases.
        batch_first: whether batched input and output are [B, T, ...] rather than [T, B, ...].
        dropout: share of each layer's outputs, but the last one's, set to zero while training.
        bidirectional: whether a second set of layers reads from the last step to the first.
        device, dtype: of the parameters.
        backend: "auto", "native", "torch" or "reference"; one asked for by name serves or raises.
        initialization: "torch" or "keras" (Glorot-uniform and orthogonal kernels, zero biases).
        recompute: accepted as by LSTM and GRU; an RNN keeps nothing but its outputs anyway.
        clip: bound of what goes into phi, which then lies in [-clip, clip].
        recurrent_dropout: share p of Y(t-1) that is zero where it enters the product with W_y, the rest times
            1/(1 - p); the same neurons in all steps of a row, drawn anew for each call while training.
        zoneout: share of Y(t) that stays Y(t-1): while training at random at each step, in evaluation
            p Y(t-1) + (1 - p) Y(t).
        learned_state: whether the output before the first step is a parameter, `state_h_l{k}`, rather than zero.
        reverse: whether a one-directional layer runs from each row's last valid step to its first.

    Raises:
        ConfigError: (a ValueError) if an argument is out of range, a name unknown, or two do not go together.
        DtypeError: (a TypeError) if an argument is of the wrong type.

    Source: Géron, Hands-On Machine Learning, equations 15-1 and 15-2; Elman 1990; ONNX operator RNN (clip, alpha and
    beta of activations); Gal & Ghahramani 2016 (recurrent dropout); Krueger et al. 2017 (zoneout).

    >>> layer = RNN(3, 5, batch_first=True)
    >>> y, h = layer(torch.zeros(2, 4, 3), lengths=[4, 1])
    >>> y.shape, h.shape
    (torch.Size([2, 4, 5]), torch.Size([1, 2, 5]))
    """

    _kernel: ClassVar[Any] = kernels.rnn
    _gates: ClassVar[int] = 1
    _mode: ClassVar[str] = "RNN"
    _own_defaults: ClassVar[Mapping[str, object]] = MappingProxyType({"nonlinearity": "tanh"})

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: Phi = "tanh",
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
        clip: float | None = None,
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        learned_state: bool = False,
        reverse: bool = False,
    ) -> None:
        options = read_options(
            "rnn",
            {"nonlinearity": nonlinearity},
            clip=clip,
            zoneout=zoneout,
            learned_state=learned_state,
            recurrent_dropout=recurrent_dropout,
            reverse=reverse,
            bidirectional=bidirectional,
        )
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
            options,
        )
        self.nonlinearity = nonlinearity
        self._built(clip, recurrent_dropout, zoneout, learned_state, reverse)

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

    def _quick_arguments(self) -> dict[str, Any] | None:
        options = self._options.kernel
        (phi,) = options.activations or USUAL["rnn"]
        if options != Options(options.activations) or not isinstance(phi, Activation) or not phi.is_usual:
            return None
        return {"activation": phi.name}

    def _first_weights(self) -> Weights:
        return self._weights()[0]
