"""The gated recurrent unit by PyTorch's own fused call; serves only where that computes the same function."""

from torch import _VF

from recurra.kernels._call import Call, Result, State
from recurra.kernels._fused import run_fused, why_not_fused


def why_not(call: Call) -> str | None:
    """The reason why PyTorch's fused call cannot serve, or None."""
    if not call.options.reset_after:
        return "PyTorch's fused call has the reset gate after the recurrent product"
    return why_not_fused(call)


def run(call: Call) -> Result:
    """The whole stack over the whole sequence, padded or packed."""
    return run_fused(_VF.gru, call)


def cell(call: Call) -> State:
    """One time step of one layer."""
    w = call.weights[0]
    return (_VF.gru_cell(call.x, call.state[0], w.w_ih, w.w_hh, w.b_ih, w.b_hh),)
