"""Weights that stay packed from call to call, for layers that are used and not trained."""

from collections.abc import Sequence
from typing import Any

import torch

from recurra.errors import BackendUnavailable, ShapeError
from recurra.kernels import _compiled
from recurra.kernels._call import PARTS, Weights
from recurra.kernels._checks import check_weights
from recurra.kernels._cpu_call import GATES, addresses_of, dense

KINDS = {"rnn": 0, "lstm": 1, "gru": 2, "gru_before": 3}
"""The recurrences by name, as csrc/kinds.hpp numbers them; gru_before has its reset before the recurrent product."""


def can_freeze(weights: Sequence[Weights]) -> bool:
    """Whether the native kernels are built and take these weights."""
    plain = (part for w in weights for part in w[:PARTS] if part is not None)
    return _compiled.native is not None and all(
        part.is_cpu and part.dtype in (torch.float32, torch.float64) and type(part) in _compiled.PLAIN for part in plain
    )


def pack_layers(kind: str, weights: Sequence[Weights], directions: int) -> tuple[Any, ...]:
    """The packed weights of each layer of a stack, for `Stack.frozen`.

    A forward pass compares a number computed from all weights with that of the packed ones, and packs again if it is
    another: a changed weight is never missed.

    Args:
        kind: a name of `KINDS`.
        weights: one a layer and direction: layer 0 forward, layer 0 reverse, layer 1 forward, ...
        directions: D.

    Raises:
        BackendUnavailable: if the native kernels are not built, or cannot take these weights.
        ShapeError: if the weights do not fit each other, or one has no memory.
    """
    if _compiled.native is None:
        raise BackendUnavailable(_compiled.NOT_BUILT)
    first = weights[0].w_ih
    if first.dtype not in (torch.float32, torch.float64) or not first.is_cpu:
        raise BackendUnavailable(
            f"the native kernels pack float32 and float64 on the CPU, not {first.dtype} on {first.device}"
        )
    check_weights(weights, GATES[KINDS[kind]], directions)
    return tuple(_pack_layer(KINDS[kind], weights[k : k + directions]) for k in range(0, len(weights), directions))


def _pack_layer(kind: int, weights: Sequence[Weights]) -> Any:
    """One layer; weights are those of its directions."""
    assert _compiled.native is not None
    w = weights[0]
    hidden, is_double = w.w_ih.shape[0] // GATES[kind], w.w_ih.dtype is torch.float64
    sizes = (w.w_ih.shape[1], hidden, w.w_hh.shape[1], len(weights))
    flat = [dense(part) for w in weights for part in w[:PARTS]]
    projected, threads = w.w_hr is not None, torch.get_num_threads()
    try:
        return _compiled.native.Frozen(kind, is_double, *sizes, projected, threads, addresses_of(flat))
    except ValueError as error:
        raise ShapeError(str(error)) from None
