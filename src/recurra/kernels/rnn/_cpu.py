"""The plain recurrent layer on the native kernels (csrc/), forward and backward, with ONNX's activations."""

from collections.abc import Sequence

from torch import Tensor

from recurra.kernels._activations import Activation, canonical_name
from recurra.kernels._call import Call, Result, Stack, State
from recurra.kernels._compiled import why_not_compiled
from recurra.kernels._cpu_stack import RNN, run_native, run_native_cell, run_quick
from recurra.kernels.rnn import _reference

_NUMBER = {
    "tanh": 0,
    "scaled_tanh": 0,
    "relu": 1,
    "sigmoid": 2,
    "affine": 3,
    "leaky_relu": 4,
    "thresholded_relu": 5,
    "hard_sigmoid": 6,
    "elu": 7,
    "softsign": 8,
    "softplus": 9,
}
"""As csrc/kinds.hpp numbers them."""


def why_not(call: Call) -> str | None:
    """The reason why the native kernels cannot serve, or None."""
    if canonical_name(call.activation) not in _NUMBER:
        return "the native kernels know ONNX's activations by name, not a callable"
    return why_not_compiled(call)


def activation_number(activation: Activation) -> int | None:
    """As csrc/kinds.hpp numbers activations; None for a callable."""
    return _NUMBER.get(canonical_name(activation) or "")


def _number(call: Call) -> int:
    return _NUMBER[canonical_name(call.activation) or ""]


def run(call: Call) -> Result:
    """The whole stack over the whole sequence, padded, ragged or packed."""
    return run_native(RNN, call, _reference.run, _number(call))


def cell(call: Call) -> State:
    """One time step of one layer."""
    return run_native_cell(RNN, call, _reference.run, _number(call))


def quick(
    x: Tensor,
    flat: Sequence[Tensor | None],
    shapes: Sequence[tuple[int, ...] | None],
    stack: Stack,
    activation: Activation = "tanh",
) -> Result | None:
    """One layer over a padded batch from zeros, if nothing is out of the ordinary."""
    if type(activation) is not str or activation not in _NUMBER:
        return None
    return run_quick(RNN, _reference.run, x, flat, shapes, stack, (_NUMBER[activation], activation))
