"""The plain recurrent layer on the native kernels (csrc/), forward and backward, with ONNX's activations."""

from collections.abc import Sequence

from torch import Tensor

from recurra.kernels._activations import Activation, Phi, as_function
from recurra.kernels._call import Call, Result, Stack, State
from recurra.kernels._compiled import why_not_compiled
from recurra.kernels._cpu_stack import RNN, run_native, run_native_cell, run_quick
from recurra.kernels._cpu_variant import NUMBER
from recurra.kernels._options import USUAL
from recurra.kernels.rnn import _reference

_USUAL_NUMBER = {**NUMBER, "scaled_tanh": NUMBER["tanh"]}
"""Of the activations with their usual alpha and beta, which the plain kernel has."""


def why_not(call: Call) -> str | None:
    """The reason why the native kernels cannot serve, or None."""
    return why_not_compiled(call)


def activation_number(activation: Phi) -> int | None:
    """As csrc/kinds.hpp numbers activations; None for a callable, or for another alpha or beta."""
    phi = as_function(activation)
    return _USUAL_NUMBER[phi.name] if isinstance(phi, Activation) and phi.is_usual else None


def _number(call: Call) -> int | None:
    return activation_number((call.options.activations or USUAL["rnn"])[0])


def run(call: Call) -> Result:
    """The whole stack over the whole sequence, padded, ragged or packed."""
    return run_native(RNN, call, _reference.run, _number(call) or 0)


def cell(call: Call) -> State:
    """One time step of one layer."""
    return run_native_cell(RNN, call, _reference.run, _number(call) or 0)


def quick(
    x: Tensor,
    flat: Sequence[Tensor | None],
    shapes: Sequence[tuple[int, ...] | None],
    stack: Stack,
    activation: str = "tanh",
) -> Result | None:
    """One layer over a padded batch from zeros, if nothing is out of the ordinary."""
    return run_quick(RNN, _reference.run, x, flat, shapes, stack, (_USUAL_NUMBER[activation], activation))
