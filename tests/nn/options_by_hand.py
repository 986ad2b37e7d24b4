"""The recurrences with all their options, gate by gate in numpy and row by row: what the layers are held against."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Array = npt.NDArray[np.float64]
Phi = Callable[[Array], Array]
Keep = Sequence[Any]
"""Of h and of c: the share of the old value that a step keeps, a number, or an array [L*D, T, B, width]."""


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


@dataclass(frozen=True)
class Choice:
    """Activations as functions of an array, the rest as the layers take it."""

    gate: Phi = sigmoid
    candidate: Phi = np.tanh
    output: Phi = np.tanh
    reset_after: bool = True
    clip: float | None = None
    coupling: str | None = None
    cell_clip: float | None = None
    projection_clip: float | None = None
    layer_norm: str | None = None
    layer_norm_eps: float = 1e-5


def clipped(a: Array, bound: float | None) -> Array:
    return a if bound is None else np.minimum(np.maximum(a, -bound), bound)


def norm(a: Array, eps: float) -> Array:
    """(a - mean) / sqrt(variance + eps), Ba et al. 2016, equation 3."""
    centred = a - a.sum() / a.size
    return centred / np.sqrt((centred**2).sum() / a.size + eps)


def rnn_step(x: Array, state: list[Array], entering: Array, p: dict[str, Array], o: Choice) -> list[Array]:
    a = p["weight_ih"] @ x + p["bias_ih"] + p["weight_hh"] @ entering + p["bias_hh"]
    return [o.candidate(clipped(a, o.clip))]


def gru_step(x: Array, state: list[Array], entering: Array, p: dict[str, Array], o: Choice) -> list[Array]:
    h, e = state[0], entering
    W, U, b, d = (np.split(p[name], 3) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    r = o.gate(clipped(W[0] @ x + b[0] + U[0] @ e + d[0], o.clip))
    z = o.gate(clipped(W[1] @ x + b[1] + U[1] @ e + d[1], o.clip))
    recurrent = r * (U[2] @ e + d[2]) if o.reset_after else U[2] @ (r * e) + d[2]
    n = o.candidate(clipped(W[2] @ x + b[2] + recurrent, o.clip))
    return [z * h + (1 - z) * n]


def lstm_step(x: Array, state: list[Array], entering: Array, p: dict[str, Array], o: Choice) -> list[Array]:
    c, eps = state[1], o.layer_norm_eps
    p_i, p_f, p_o = np.split(p["weight_peephole"], 3) if "weight_peephole" in p else (0.0, 0.0, 0.0)
    W, U = p["weight_ih"] @ x, p["weight_hh"] @ entering
    bias = p["bias_ih"] + p["bias_hh"]
    if o.layer_norm in ("ba", "fastrnns"):
        W, U = norm(W, eps) * p["weight_norm_ih"], norm(U, eps) * p["weight_norm_hh"]
    a = np.split(W + U if o.layer_norm == "tflite" else W + U + bias, 4)
    biases = np.split(bias, 4)

    def ready(k: int, value: Array) -> Array:
        if o.layer_norm == "tflite":
            value = norm(value, eps) * np.split(p["weight_norm_ih"], 4)[k] + biases[k]
        return clipped(value, o.clip)

    i, f = o.gate(ready(0, a[0] + p_i * c)), o.gate(ready(1, a[1] + p_f * c))
    f = 1 - i if o.coupling == "input" else f
    i = 1 - f if o.coupling == "forget" else i
    cell = clipped(f * c + i * o.candidate(ready(2, a[2])), o.cell_clip)
    gate = o.gate(ready(3, a[3] + p_o * cell))
    shown = cell
    if o.layer_norm in ("ba", "fastrnns"):
        shown = norm(cell, eps) * p["weight_norm_c"] + p["bias_norm_c"]
    h = gate * o.output(shown)
    if "weight_hr" in p:
        h = clipped(p["weight_hr"] @ h, o.projection_clip)
    return [h, shown if o.layer_norm == "fastrnns" else cell]


STEPS = {"RNN": rnn_step, "GRU": gru_step, "LSTM": lstm_step}


def run(
    layer: Any,
    o: Choice,
    x: torch.Tensor,
    state: Sequence[torch.Tensor],
    lengths: Sequence[int],
    h_in: Any = None,
    keep: Keep = (),
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """A whole layer, time first, over rows of these lengths.

    Args:
        layer: whose parameters, layers and directions are taken.
        o: its options.
        x: [T, B, I].
        state: parts [L*D, B, width].
        lengths: steps of each row.
        h_in: [L*D, B, P], what h is multiplied with on its way into the recurrent product.
        keep: of each part of the state.
    """
    below, last = x.numpy(), [part.numpy().copy() for part in state]
    ways = ["", "_reverse"] if layer.bidirectional else [""]
    width = state[0].shape[-1]
    for k in range(layer.num_layers):
        y = np.zeros((*x.shape[:2], len(ways) * width))
        for d, way in enumerate(ways):
            at, end = k * len(ways) + d, f"_l{k}{way}"
            p = {name.removesuffix(end): v.numpy() for name, v in layer.state_dict().items() if name.endswith(end)}
            for row, steps in enumerate(lengths):
                now = [part[at, row] for part in last]
                order = range(steps)
                for t in reversed(order) if (d == 1) != layer.reverse else order:
                    entering = now[0] if h_in is None else now[0] * h_in[at, row]
                    new = STEPS[type(layer).__name__](below[t, row], now, entering, p, o)
                    shares = [s if isinstance(s, float) else s[at, t, row] for s in keep]
                    now = [q * a + (1 - q) * b for q, a, b in zip(shares, now, new, strict=True)] if keep else new
                    y[t, row, d * width : (d + 1) * width] = now[0]
                for part, value in zip(last, now, strict=True):
                    part[at, row] = value
        below = y
    return torch.from_numpy(below), [torch.from_numpy(part) for part in last]
