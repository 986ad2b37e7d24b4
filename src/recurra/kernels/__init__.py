"""The recurrences as pure functions on tensors: no parameters live here, and nothing below knows a module.

One folder per recurrence (`rnn`, `lstm`, `gru`), each with the same door:

    sequence(x, state, weights, ...)   a whole stack of layers over a whole sequence, ragged or not
    cell(x, state, weights, ...)       one time step of one layer
    equations(options)                 one time step of one layer in plain PyTorch, every gate by its name
    explain(x, state, weights, ...)    which backend would serve `sequence`, and why the others would not

Backends, in the order in which "auto" tries them: "native" (own kernels in csrc/, for the CPU), "torch"
(PyTorch's fused call, where it computes the same function), "reference" (the equations).
"""

from recurra.kernels import gru, lstm, rnn
from recurra.kernels._activations import (
    ACTIVATIONS,
    DEFAULTS,
    Activation,
    Function,
    Phi,
    as_function,
    resolve_activation,
)
from recurra.kernels._call import PARTS, Result, Stack, State, Weights
from recurra.kernels._compiled import native_is_built
from recurra.kernels._dispatch import BACKENDS, Choice, check_backend_name
from recurra.kernels._lengths import as_lengths, check_batch_sizes
from recurra.kernels._options import COUPLINGS, LAYER_NORMS, PLAIN, USUAL, Masks, Options
from recurra.kernels._ragged import reversed_rows
from recurra.kernels._scan import STATE_NAMES, Equations, Parts
from recurra.kernels._terms import zoned_out

__all__ = [
    "ACTIVATIONS",
    "BACKENDS",
    "COUPLINGS",
    "DEFAULTS",
    "LAYER_NORMS",
    "PARTS",
    "PLAIN",
    "STATE_NAMES",
    "USUAL",
    "Activation",
    "Choice",
    "Equations",
    "Function",
    "Masks",
    "Options",
    "Parts",
    "Phi",
    "Result",
    "Stack",
    "State",
    "Weights",
    "as_function",
    "as_lengths",
    "check_backend_name",
    "check_batch_sizes",
    "gru",
    "lstm",
    "native_is_built",
    "resolve_activation",
    "reversed_rows",
    "rnn",
    "zoned_out",
]
