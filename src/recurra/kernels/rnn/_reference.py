"""The plain recurrent layer's equations in plain PyTorch: the truth that faster paths are held against."""

from collections.abc import Callable

from torch.nn.functional import linear

from recurra.kernels._activations import resolve_activation
from recurra.kernels._call import Call, Result, State, Weights
from recurra.kernels._scan import run_stack
from recurra.shapes import Float, Tensor


def step(X_Wx: Float[Tensor, "batch hidden"], state: State, w: Weights, phi: Callable[[Tensor], Tensor]) -> State:
    """One time step of a mini-batch.

    Y(t) = phi(X(t) Wx + Y(t-1) Wy + b)

    Args:
        X_Wx: X(t) Wx, with the input's part of b added.
        state: (Y(t-1),).
        w: Wy is w_hh transposed; b_hh is the recurrent part of b.
        phi: any activation.

    Returns:
        (Y(t),).

    Source: Géron, Hands-On Machine Learning, equation 15-2.
    """
    (Y,) = state
    Wy, b = w.w_hh, w.b_hh
    return (phi(X_Wx + linear(Y, Wy, b)),)


def why_not(call: Call) -> str | None:  # noqa: ARG001
    """None: the equations serve every call."""
    return None


def run(call: Call) -> Result:
    """The whole stack over the whole sequence."""
    phi = resolve_activation(call.activation)
    return run_stack(lambda a, state, w: step(a, state, w, phi), call)


def cell(call: Call) -> State:
    """One time step of one layer."""
    w = call.weights[0]
    return step(linear(call.x, w.w_ih, w.b_ih), call.state, w, resolve_activation(call.activation))
