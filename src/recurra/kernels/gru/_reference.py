"""The gated recurrent unit's equations in plain PyTorch: the truth that faster paths are held against."""

from functools import partial

from torch.nn.functional import linear

from recurra.kernels._call import Call, Result, State, Weights
from recurra.kernels._options import Options
from recurra.kernels._scan import Equations, Functions, Parts, run_cell, run_stack
from recurra.kernels._terms import clipped
from recurra.shapes import Float, Tensor


def step_reset_after(
    X_W: Float[Tensor, "batch 3*hidden"], state: State, w: Weights, entering: Tensor, phi: Functions, options: Options
) -> Parts:
    """One time step of a mini-batch; the reset gate acts after the recurrent product.

    r = sigma(x W_r + h U_r + b_r)
    z = sigma(x W_z + h U_z + b_z)
    n = tanh(x W_n + b_in + r * (h U_n + b_hn))
    h' = z * h + (1 - z) * n

    Args:
        X_W: x W for the gates r, z, n, with b_ih added.
        state: (h,).
        w: U is w_hh transposed; b_hh stays apart from b_ih, for r multiplies its part for n.
        entering: h as it enters the products with U: with recurrent dropout some of it is zero.
        phi: sigma and tanh, or what stands in their place.
        options: the bound of what goes into them.

    Returns:
        The gates r and z, the candidate n, and h = h'.

    Source: Cho et al. 2014, in the variant of PyTorch and cuDNN (reset after); ONNX operator GRU (clip).
    """
    (h,), (sigma, tanh), clip = state, phi, options.clip
    x_r, x_z, x_n = X_W.chunk(3, -1)
    h_r, h_z, h_n = linear(entering, w.w_hh, w.b_hh).chunk(3, -1)
    r = sigma(clipped(x_r + h_r, clip))
    z = sigma(clipped(x_z + h_z, clip))
    n = tanh(clipped(x_n + r * h_n, clip))
    return {"r": r, "z": z, "n": n, "h": z * h + (1 - z) * n}


def step_reset_before(
    X_W: Float[Tensor, "batch 3*hidden"], state: State, w: Weights, entering: Tensor, phi: Functions, options: Options
) -> Parts:
    """One time step of a mini-batch; the reset gate acts before the recurrent product.

    r = sigma(x W_r + h U_r + b_r)
    z = sigma(x W_z + h U_z + b_z)
    n = tanh(x W_n + (r * h) U_n + b_n)
    h' = z * h + (1 - z) * n

    Args:
        X_W: x W for the gates r, z, n, with b_ih added.
        state: (h,).
        w: U is w_hh transposed; b_hh is the recurrent part of b.
        entering: h as it enters the products with U: with recurrent dropout some of it is zero.
        phi: sigma and tanh, or what stands in their place.
        options: the bound of what goes into them.

    Returns:
        The gates r and z, the candidate n, and h = h'.

    Source: Cho et al. 2014; ONNX operator GRU with linear_before_reset = 0 (clip too).
    """
    (h,), (sigma, tanh), clip = state, phi, options.clip
    H = h.shape[-1]
    U_rz, U_n = w.w_hh[: 2 * H], w.w_hh[2 * H :]
    b_rz, b_n = (None, None) if w.b_hh is None else (w.b_hh[: 2 * H], w.b_hh[2 * H :])
    r, z = (X_W[..., : 2 * H] + linear(entering, U_rz, b_rz)).chunk(2, -1)
    r, z = sigma(clipped(r, clip)), sigma(clipped(z, clip))
    n = tanh(clipped(X_W[..., 2 * H :] + linear(r * entering, U_n, b_n), clip))
    return {"r": r, "z": z, "n": n, "h": z * h + (1 - z) * n}


def equations(options: Options) -> Equations:
    """The recurrence with these options."""
    step = step_reset_after if options.reset_after else step_reset_before
    return Equations(partial(step, phi=options.functions("gru"), options=options))


def why_not(call: Call) -> str | None:  # noqa: ARG001
    """None: the equations serve every call."""
    return None


def run(call: Call) -> Result:
    """The whole stack over the whole sequence."""
    return run_stack(equations(call.options), call)


def cell(call: Call) -> State:
    """One time step of one layer."""
    return run_cell(equations(call.options), call)
