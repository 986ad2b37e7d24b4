"""The plain recurrent layer by PyTorch's own fused call; serves only where that computes the same function."""

from torch import _VF

from recurra.kernels._activations import Activation
from recurra.kernels._call import Call, Result, State
from recurra.kernels._fused import run_fused, why_not_fused
from recurra.kernels._options import USUAL

_SEQUENCE = {"tanh": _VF.rnn_tanh, "relu": _VF.rnn_relu}
_CELL = {"tanh": _VF.rnn_tanh_cell, "relu": _VF.rnn_relu_cell}


def _name(call: Call) -> str:
    """Of the activation; "a callable" for one that is not on ONNX's list."""
    phi = (call.options.activations or USUAL["rnn"])[0]
    return phi.name if isinstance(phi, Activation) else "a callable"


def why_not(call: Call) -> str | None:
    """The reason why PyTorch's fused call cannot serve, or None."""
    name = _name(call)
    if name not in _SEQUENCE:
        return f"PyTorch's fused call knows tanh and relu only, not {name}"
    return why_not_fused(call, "activations")


def run(call: Call) -> Result:
    """The whole stack over the whole sequence, padded or packed."""
    return run_fused(_SEQUENCE[_name(call)], call)


def cell(call: Call) -> State:
    """One time step of one layer."""
    w = call.weights[0]
    return (_CELL[_name(call)](call.x, call.state[0], w.w_ih, w.w_hh, w.b_ih, w.b_hh),)
