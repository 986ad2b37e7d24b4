"""Every option of the three recurrences in plain PyTorch, step by step: what the variant kernel is held against."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, linear

PHI: dict[str, Callable[[Tensor, float, float], Tensor]] = {
    "tanh": lambda x, a, b: torch.tanh(x),
    "relu": lambda x, a, b: torch.relu(x),
    "sigmoid": lambda x, a, b: torch.sigmoid(x),
    "affine": lambda x, a, b: a * x + b,
    "leaky_relu": lambda x, a, b: torch.nn.functional.leaky_relu(x, a),
    "thresholded_relu": lambda x, a, b: torch.where(x > a, x, torch.zeros_like(x)),
    "hard_sigmoid": lambda x, a, b: (a * x + b).clamp(0.0, 1.0),
    "elu": lambda x, a, b: torch.nn.functional.elu(x, a),
    "softsign": lambda x, a, b: x / (1.0 + x.abs()),
    "softplus": lambda x, a, b: torch.logaddexp(x, torch.zeros_like(x)),
    "scaled_tanh": lambda x, a, b: a * torch.tanh(b * x),
}


@dataclass(frozen=True)
class Options:
    """Phi is a name with alpha and beta."""

    gate: tuple[str, float, float] = ("sigmoid", 1.0, 1.0)
    candidate: tuple[str, float, float] = ("tanh", 1.0, 1.0)
    output: tuple[str, float, float] = ("tanh", 1.0, 1.0)
    clip: float | None = None
    cell_clip: float | None = None
    projection_clip: float | None = None
    coupling: str | None = None
    norm: str | None = None
    eps: float = 1e-5


def clipped(x: Tensor, bound: float | None) -> Tensor:
    return x if bound is None else x.clamp(-bound, bound)


def phi(x: Tensor, which: tuple[str, float, float]) -> Tensor:
    return PHI[which[0]](x, which[1], which[2])


def rnn(o: Options, x: Tensor, entering: Tensor, state: Sequence[Tensor], w: Sequence[Tensor | None]) -> list[Tensor]:
    a = linear(x, w[0], w[2]) + linear(entering, w[1], w[3])
    return [phi(clipped(a, o.clip), o.candidate)]


def gru(o: Options, x: Tensor, entering: Tensor, state: Sequence[Tensor], w: Sequence[Tensor | None]) -> list[Tensor]:
    X, h = linear(x, w[0], w[2]).chunk(3, -1), state[0]
    U = linear(entering, w[1], w[3]).chunk(3, -1)
    r, z = (phi(clipped(X[k] + U[k], o.clip), o.gate) for k in (0, 1))
    n = phi(clipped(X[2] + r * U[2], o.clip), o.candidate)
    return [z * h + (1 - z) * n]


def gru_before(o: Options, x: Tensor, entering: Tensor, state: Sequence[Tensor], w: Sequence[Tensor | None]) -> list[Tensor]:
    X, h = linear(x, w[0], w[2]).chunk(3, -1), state[0]
    U = linear(entering, w[1], w[3]).chunk(3, -1)
    r, z = (phi(clipped(X[k] + U[k], o.clip), o.gate) for k in (0, 1))
    H = h.shape[-1]
    last = linear(r * entering, w[1][2 * H :], None if w[3] is None else w[3][2 * H :])
    return [z * h + (1 - z) * phi(clipped(X[2] + last, o.clip), o.candidate)]


def lstm(o: Options, x: Tensor, entering: Tensor, state: Sequence[Tensor], w: Sequence[Tensor | None]) -> list[Tensor]:
    w_ih, w_hh, b_ih, b_hh, w_hr, w_p, n_ih, n_hh, n_c, m_c = w
    c, bias = state[1], 0 if b_ih is None else b_ih + b_hh
    H = c.shape[-1]
    x_sum, h_sum = linear(x, w_ih), linear(entering, w_hh)
    peephole = [None] * 3 if w_p is None else w_p.chunk(3)
    if o.norm in ("ba", "fastrnns"):
        a = layer_norm(x_sum, (4 * H,), eps=o.eps) * n_ih + layer_norm(h_sum, (4 * H,), eps=o.eps) * n_hh + bias
    else:
        a = x_sum + h_sum + (0 if o.norm else bias)
    a = list(a.chunk(4, -1))

    def gate(k: int, which: tuple[str, float, float], seen: Tensor | None) -> Tensor:
        v = a[k] if seen is None else a[k] + seen
        if o.norm == "tflite":
            v = layer_norm(v, (H,), eps=o.eps) * n_ih[k * H : (k + 1) * H] + (bias[k * H : (k + 1) * H] if b_ih is not None else 0)
        return phi(clipped(v, o.clip), which)

    i = gate(0, o.gate, None if w_p is None else peephole[0] * c)
    f = gate(1, o.gate, None if w_p is None else peephole[1] * c)
    if o.coupling == "input":
        f = 1 - i
    if o.coupling == "forget":
        i = 1 - f
    c = clipped(f * c + i * gate(2, o.candidate, None), o.cell_clip)
    out = gate(3, o.gate, None if w_p is None else peephole[2] * c)
    shown = layer_norm(c, (H,), eps=o.eps) * n_c + m_c if o.norm in ("ba", "fastrnns") else c
    h = out * phi(shown, o.output)
    if w_hr is not None:
        h = clipped(linear(h, w_hr), o.projection_clip)
    return [h, shown if o.norm == "fastrnns" else c]


STEPS = (rnn, lstm, gru, gru_before)


def run(
    kind: int,
    o: Options,
    masks: tuple[Tensor | None, Tensor | float, Tensor | float],
    x: Tensor,
    state: Sequence[Tensor],
    flat: Sequence[Tensor | None],
    *,
    lengths: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """One layer, [T, B, I] in, all directions; masks and parts of the state [D, ...]."""
    halves, finals = [], []
    for d in range(len(flat) // 10):
        w, now, outputs = flat[10 * d : 10 * (d + 1)], [part[d] for part in state], []
        backward = (d == 1) != reverse
        for t in reversed(range(len(x))) if backward else range(len(x)):
            entering = now[0] if masks[0] is None else now[0] * masks[0][d]
            after = STEPS[kind](o, x[t], entering, now, w)
            keep = [k[d][t] if isinstance(k, Tensor) else k for k in masks[1:]]
            after = [k * old + (1 - k) * new for k, old, new in zip(keep, now, after, strict=False)]
            alive = torch.ones(x.shape[1], 1, dtype=torch.bool) if lengths is None else (t < lengths)[:, None]
            outputs.append(torch.where(alive, after[0], 0.0))
            now = [torch.where(alive, new, old) for new, old in zip(after, now, strict=True)]
        halves.append(torch.stack(outputs[::-1] if backward else outputs) if outputs else x.new_zeros((0, *now[0].shape)))
        finals.append(now)
    return torch.cat(halves, -1), tuple(torch.stack(part) for part in zip(*finals, strict=True))
