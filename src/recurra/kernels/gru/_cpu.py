"""The gated recurrent unit on the native kernels (csrc/), forward and backward."""

from recurra.kernels._call import Call, Result, State
from recurra.kernels._compiled import why_not_compiled
from recurra.kernels._cpu_stack import GRU, run_native, run_native_cell
from recurra.kernels.gru import _reference


def why_not(call: Call) -> str | None:
    """The reason why the native kernels cannot serve, or None."""
    return why_not_compiled(call)


def run(call: Call) -> Result:
    """The whole stack over the whole sequence, padded, ragged or packed."""
    return run_native(GRU, call, _reference.run)


def cell(call: Call) -> State:
    """One time step of one layer."""
    return run_native_cell(GRU, call, _reference.run)
