"""The plain recurrent layer's equations in plain PyTorch: the truth that faster paths are held against."""

from functools import partial

from torch.nn.functional import linear

from recurra.kernels._call import Call, Result, State, Weights
from recurra.kernels._options import Options
from recurra.kernels._scan import Equations, Functions, Parts, run_cell, run_stack
from recurra.kernels._terms import clipped
from recurra.shapes import Float, Tensor


def step(
    X_Wx: Float[Tensor, "batch hidden"],
    state: State,  # noqa: ARG001
    w: Weights,
    entering: Tensor,
    phi: Functions,
    options: Options,
) -> Parts:
    """One time step of a mini-batch.

    Y(t) = phi(X(t) Wx + Y(t-1) Wy + b)

    Args:
        X_Wx: X(t) Wx, with the input's part of b added.
        state: (Y(t-1),).
        w: Wy is w_hh transposed; b_hh is the recurrent part of b.
        entering: Y(t-1) as it enters the product: with recurrent dropout some of it is zero.
        phi: any activation.
        options: the bound of what goes into it.

    Returns:
        a, what goes into phi, and h = Y(t).

    Source: Géron, Hands-On Machine Learning, equation 15-2; ONNX operator RNN (clip).
    """
    Wy, b = w.w_hh, w.b_hh
    a = clipped(X_Wx + linear(entering, Wy, b), options.clip)
    return {"a": a, "h": phi[0](a)}


def equations(options: Options) -> Equations:
    """The recurrence with these options."""
    return Equations(partial(step, phi=options.functions("rnn"), options=options))


def why_not(call: Call) -> str | None:  # noqa: ARG001
    """None: the equations serve every call."""
    return None


def run(call: Call) -> Result:
    """The whole stack over the whole sequence."""
    return run_stack(equations(call.options), call)


def cell(call: Call) -> State:
    """One time step of one layer."""
    return run_cell(equations(call.options), call)
