"""The recurrences as pure functions on tensors: no parameters live here, and nothing below knows a module.

One folder per recurrence (`rnn`, `lstm`, `gru`), each with the same door:

    sequence(x, state, weights, ...)   a whole stack of layers over a whole sequence, ragged or not
    cell(x, state, weights, ...)       one time step of one layer
    explain(x, state, weights, ...)    which backend would serve `sequence`, and why the others would not

Backends, in the order in which "auto" tries them: "native" (own kernels in csrc/, for the CPU), "torch"
(PyTorch's fused call, where it computes the same function), "reference" (the equations).
"""

from recurra.kernels import gru, lstm, rnn
from recurra.kernels._activations import ACTIVATIONS, Activation, canonical_name, resolve_activation
from recurra.kernels._call import Result, Stack, State, Weights
from recurra.kernels._compiled import native_is_built
from recurra.kernels._dispatch import BACKENDS, Choice, check_backend_name
from recurra.kernels._lengths import as_lengths, check_batch_sizes

__all__ = [
    "ACTIVATIONS",
    "BACKENDS",
    "Activation",
    "Choice",
    "Result",
    "Stack",
    "State",
    "Weights",
    "as_lengths",
    "canonical_name",
    "check_backend_name",
    "check_batch_sizes",
    "gru",
    "lstm",
    "native_is_built",
    "resolve_activation",
    "rnn",
]
