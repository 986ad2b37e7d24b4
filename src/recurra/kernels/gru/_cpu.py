"""The gated recurrent unit on the native kernels (csrc/), forward and backward."""

from collections.abc import Sequence

from torch import Tensor

from recurra.kernels._call import Call, Result, Stack, State
from recurra.kernels._compiled import why_not_compiled
from recurra.kernels._cpu_stack import GRU, GRU_BEFORE, run_native, run_native_cell, run_quick
from recurra.kernels.gru import _reference


def _kind(reset_after: bool) -> int:
    return GRU if reset_after else GRU_BEFORE


def why_not(call: Call) -> str | None:
    """The reason why the native kernels cannot serve, or None."""
    return why_not_compiled(call)


def run(call: Call) -> Result:
    """The whole stack over the whole sequence, padded, ragged or packed."""
    return run_native(_kind(call.options.reset_after), call, _reference.run)


def cell(call: Call) -> State:
    """One time step of one layer."""
    return run_native_cell(_kind(call.options.reset_after), call, _reference.run)


def quick(
    x: Tensor,
    flat: Sequence[Tensor | None],
    shapes: Sequence[tuple[int, ...] | None],
    stack: Stack,
    reset_after: bool = True,
) -> Result | None:
    """One layer over a padded batch from zeros, if nothing is out of the ordinary."""
    return run_quick(_kind(reset_after), _reference.run, x, flat, shapes, stack)
