"""The gated recurrent unit's equations in plain PyTorch: the truth that faster paths are held against."""

import torch
from torch.nn.functional import linear

from recurra.kernels._call import Call, Result, State, Weights
from recurra.kernels._scan import Step, run_stack
from recurra.shapes import Float, Tensor


def step_reset_after(X_W: Float[Tensor, "batch 3*hidden"], state: State, w: Weights) -> State:
    """One time step of a mini-batch; the reset gate acts after the recurrent product.

    r = sigma(x W_r + h U_r + b_r)
    z = sigma(x W_z + h U_z + b_z)
    n = tanh(x W_n + b_in + r * (h U_n + b_hn))
    h' = z * h + (1 - z) * n

    Args:
        X_W: x W for the gates r, z, n, with b_ih added.
        state: (h,).
        w: U is w_hh transposed; b_hh stays apart from b_ih, for r multiplies its part for n.

    Returns:
        (h',).

    Source: Cho et al. 2014, in the variant of PyTorch and cuDNN (reset after).
    """
    (h,) = state
    x_r, x_z, x_n = X_W.chunk(3, -1)
    h_r, h_z, h_n = linear(h, w.w_hh, w.b_hh).chunk(3, -1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return (z * h + (1 - z) * n,)


def step_reset_before(X_W: Float[Tensor, "batch 3*hidden"], state: State, w: Weights) -> State:
    """One time step of a mini-batch; the reset gate acts before the recurrent product.

    r = sigma(x W_r + h U_r + b_r)
    z = sigma(x W_z + h U_z + b_z)
    n = tanh(x W_n + (r * h) U_n + b_n)
    h' = z * h + (1 - z) * n

    Args:
        X_W: x W for the gates r, z, n, with b_ih added.
        state: (h,).
        w: U is w_hh transposed; b_hh is the recurrent part of b.

    Returns:
        (h',).

    Source: Cho et al. 2014; ONNX operator GRU with linear_before_reset = 0.
    """
    (h,) = state
    H = h.shape[-1]
    U_rz, U_n = w.w_hh[: 2 * H], w.w_hh[2 * H :]
    b_rz, b_n = (None, None) if w.b_hh is None else (w.b_hh[: 2 * H], w.b_hh[2 * H :])
    rz = torch.sigmoid(X_W[..., : 2 * H] + linear(h, U_rz, b_rz))
    r, z = rz.chunk(2, -1)
    n = torch.tanh(X_W[..., 2 * H :] + linear(r * h, U_n, b_n))
    return (z * h + (1 - z) * n,)


def _step(call: Call) -> Step:
    return step_reset_after if call.reset_after else step_reset_before


def why_not(call: Call) -> str | None:  # noqa: ARG001
    """None: the equations serve every call."""
    return None


def run(call: Call) -> Result:
    """The whole stack over the whole sequence."""
    return run_stack(_step(call), call)


def cell(call: Call) -> State:
    """One time step of one layer."""
    w = call.weights[0]
    return _step(call)(linear(call.x, w.w_ih, w.b_ih), call.state, w)
