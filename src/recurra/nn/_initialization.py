"""The values that parameters start from: PyTorch's and Keras' presets, and the bias of the forget gate.

Both draw from torch's default generator; "torch" draws exactly as torch.nn does, so the same seed gives the
same parameters.
"""

import math
import numbers
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch.nn import init

from recurra.errors import ConfigError
from recurra.kernels import PARTS, Weights

PRESETS = ("torch", "keras")


@dataclass(frozen=True)
class Initialization:
    """How parameters start.

    Attributes:
        preset: "torch": everything from U(-1/sqrt(H), 1/sqrt(H)). "keras": Glorot-uniform input kernels,
            orthogonal recurrent kernels, zero biases, and 1 for the bias of an LSTM's forget gate.
        forget_bias: the sum of both biases of an LSTM's forget gate at the start; None leaves it to the preset.

    Raises:
        ConfigError: if there is no such preset.
    """

    preset: str = "torch"
    forget_bias: float | None = None

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ConfigError(f"initialization should be one of {', '.join(PRESETS)}, got: {self.preset!r}")


@torch.no_grad()
def initialize(weights: Iterable[Weights], hidden_size: int, how: Initialization) -> None:
    """Set every parameter to its first value, in place."""
    weights = tuple(weights)
    for w in weights:
        if how.preset == "torch":
            _as_torch(w, hidden_size)
        else:
            _as_keras(w)
        if how.forget_bias is not None and w.b_ih is not None and w.b_hh is not None:
            w.b_ih[hidden_size : 2 * hidden_size] = how.forget_bias
            w.b_hh[hidden_size : 2 * hidden_size] = 0.0
    for w in weights:
        _more(w, hidden_size, how.preset)


def _more(w: Weights, hidden_size: int, preset: str) -> None:
    """Peepholes as the preset draws them, gains of normalisation 1, its biases 0; after all that torch.nn has.

    Source: Keras drew a peephole [H] Glorot-uniform, U(-sqrt(3/H), sqrt(3/H)) (PeepholeLSTMCell).
    """
    if w.w_p is not None:
        bound = math.sqrt((1.0 if preset == "torch" else 3.0) / hidden_size)
        init.uniform_(w.w_p, -bound, bound)
    for gain in (w.n_ih, w.n_hh, w.n_c):
        if gain is not None:
            init.ones_(gain)
    if w.m_c is not None:
        init.zeros_(w.m_c)


def _as_torch(w: Weights, hidden_size: int) -> None:
    bound = 1.0 / math.sqrt(hidden_size)
    for part in w[:PARTS]:
        if part is not None:
            init.uniform_(part, -bound, bound)


def _as_keras(w: Weights) -> None:
    init.xavier_uniform_(w.w_ih)
    init.orthogonal_(w.w_hh)
    for bias in (w.b_ih, w.b_hh):
        if bias is not None:
            init.zeros_(bias)
    if w.w_hr is not None:
        init.xavier_uniform_(w.w_hr)


def lstm_initialization(preset: str, forget_bias: float | None, bias: bool) -> Initialization:
    """How an LSTM starts; Keras' preset sets the forget gate's bias to 1 unless another value is given.

    Raises:
        ConfigError: if there is no such preset, or a forget bias is given to a layer without biases.
    """
    if forget_bias is not None and not bias:
        raise ConfigError("forget_bias needs bias=True: a layer without biases has none for its forget gate")
    given: object = forget_bias
    is_number = isinstance(given, numbers.Real) and not isinstance(given, bool)
    if forget_bias is not None and not (is_number and math.isfinite(forget_bias)):
        raise ConfigError(f"forget_bias should be a finite number, got: {forget_bias!r}")
    if forget_bias is None and preset == "keras":
        forget_bias = 1.0
    return Initialization(preset, forget_bias)
