"""The long short-term memory's equations in plain PyTorch: the truth that faster paths are held against."""

import torch
from torch.nn.functional import linear

from recurra.kernels._call import Call, Result, State, Weights
from recurra.kernels._scan import run_stack
from recurra.shapes import Float, Tensor


def step(X_W: Float[Tensor, "batch 4*hidden"], state: State, w: Weights) -> State:
    """One time step of a mini-batch.

    i, f, g, o = split(x W + h U + b)
    c' = sigma(f) * c + sigma(i) * tanh(g)
    h' = sigma(o) * tanh(c'), and with a projection h' = (sigma(o) * tanh(c')) W_hr

    Args:
        X_W: x W for the gates i, f, g, o, with b_ih added.
        state: (h, c).
        w: U is w_hh transposed, b_hh the recurrent part of b, w_hr the projection or None.

    Returns:
        (h', c').

    Source: Hochreiter & Schmidhuber 1997, Gers et al. 2000 (forget gate), Sak et al. 2014 (projection);
    gate order i f g o as in PyTorch.
    """
    h, c = state
    i, f, g, o = (X_W + linear(h, w.w_hh, w.b_hh)).chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(c)
    if w.w_hr is not None:
        h = linear(h, w.w_hr)
    return h, c


def why_not(call: Call) -> str | None:  # noqa: ARG001
    """None: the equations serve every call."""
    return None


def run(call: Call) -> Result:
    """The whole stack over the whole sequence."""
    return run_stack(step, call)


def cell(call: Call) -> State:
    """One time step of one layer."""
    w = call.weights[0]
    return step(linear(call.x, w.w_ih, w.b_ih), call.state, w)
