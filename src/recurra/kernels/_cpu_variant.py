"""One call of the kernel that has every option (csrc/variant.hpp): tensors to addresses, nothing of autograd."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from recurra.errors import ShapeError
from recurra.kernels._activations import Activation, Function
from recurra.kernels._compiled import native
from recurra.kernels._cpu_call import (
    GATES,
    Batch,
    Incoming,
    Outgoing,
    Recipe,
    address_of,
    addresses_of,
    pair_of,
    strides_of,
)
from recurra.kernels._options import COUPLINGS, LAYER_NORMS, USUAL, Masks, Options

NUMBER = {
    "tanh": 0,
    "relu": 1,
    "sigmoid": 2,
    "affine": 3,
    "leaky_relu": 4,
    "thresholded_relu": 5,
    "hard_sigmoid": 6,
    "elu": 7,
    "softsign": 8,
    "softplus": 9,
    "scaled_tanh": 10,
}
"""Activations with alpha and beta, as csrc/kinds.hpp numbers them."""

_OF_PLAIN_KERNELS = {"rnn": {"reverse", "activations"}, "lstm": {"reverse"}, "gru": {"reverse", "reset_after"}}
"""Options that need no kernel of their own; an RNN's activations with their usual alpha and beta only."""


def variant_of(kind: str, options: Options, used: Sequence[str]) -> Any:
    """The options as the kernel with every option takes them; None where the plain kernel has them.

    Args:
        kind: "rnn", "lstm" or "gru".
        options: whose activations are all of ONNX's list.
        used: the names of all options that a call uses.
    """
    activations = options.activations
    if _OF_PLAIN_KERNELS[kind].issuperset(used) and (
        kind != "rnn" or all(isinstance(phi, Activation) and phi.is_usual for phi in activations)
    ):
        return None
    return _native_options(kind, options)


@lru_cache(maxsize=64)
def _native_options(kind: str, options: Options) -> Any:
    assert native is not None
    phis = [_numbers(phi) for phi in options.activations or USUAL[kind]]
    gate, candidate, output = {1: (phis[0],) * 3, 2: (*phis, phis[-1]), 3: tuple(phis)}[len(phis)]
    clip, cell_clip, projection_clip = (
        math.inf if bound is None else bound for bound in (options.clip, options.cell_clip, options.projection_clip)
    )
    return native.Options(
        gate=gate,
        candidate=candidate,
        output=output,
        clip=clip,
        cell_clip=cell_clip,
        projection_clip=projection_clip,
        norm=LAYER_NORMS.index(options.layer_norm),
        coupling=COUPLINGS.index(options.coupling),
        eps=options.layer_norm_eps,
    )


def _numbers(phi: Function) -> tuple[int, float, float]:
    assert isinstance(phi, Activation)
    return NUMBER[phi.name], phi.alpha or 0.0, phi.beta or 0.0


def run_forward(
    recipe: Recipe,
    batch: Batch,
    x: Tensor,
    y: Tensor,
    states: tuple[Sequence[Tensor | None], Sequence[Tensor]],
    flat: Sequence[Tensor | None],
    *,
    keep: bool,
    reverse: bool = False,
) -> Any:
    """Fill y and the last state; as `_cpu_call.run_forward`, with all the fields of the Weights of each direction.

    Raises:
        ShapeError: if sizes, lengths or memory cannot be as they are said to be.
    """
    assert native is not None
    numbers, held = _of_masks(recipe.stack.masks, x.dtype)
    arguments = (
        _layer(recipe, batch, x, flat, reverse),
        recipe.variant,
        _place(x, batch, recipe),
        _place(y, batch, recipe),
        checked_addresses(flat),
        numbers,
        pair_of(states[0]),
        pair_of(states[1]),
        keep,
    )
    try:
        tapes = native.variant_forward(*arguments)
    except ValueError as error:  # what only the kernels look at, such as lengths in a compiled graph
        raise ShapeError(str(error)) from None
    del held
    return tapes


def run_backward(
    tapes: Any,
    recipe: Recipe,
    batch: Batch,
    values: tuple[Tensor, Tensor, Sequence[Tensor | None], Sequence[Tensor | None]],
    given: Incoming,
    wanted: Outgoing,
    *,
    keep: bool,
) -> None:
    """Fill the gradients that are wanted; as `_cpu_call.run_backward`."""
    assert native is not None
    x, y, first, flat = values
    dx = wanted.x
    numbers, held = _of_masks(recipe.stack.masks, x.dtype)
    native.variant_backward(
        tapes,
        _place(x, batch, recipe),
        _place(y, batch, recipe),
        _place(given.y, batch, recipe),
        _place(None if dx is None else dx[0], batch, recipe),
        0 if dx is None else dx.stride(0),
        addresses_of(flat),
        addresses_of(wanted.flat),
        numbers,
        pair_of(first),
        pair_of(given.last),
        pair_of(wanted.first),
        keep,
    )
    del held


def checked_addresses(flat: Sequence[Tensor | None]) -> list[int]:
    """Where each weight lies, 0 for one that is not there.

    Raises:
        ShapeError: if one has a shape and no memory.
    """
    addresses = addresses_of(flat)
    for part, address in zip(flat, addresses, strict=True):
        if not address and part is not None and part.numel():
            raise ShapeError("a weight has no memory: its storage was let go")
    return addresses


def _layer(recipe: Recipe, batch: Batch, x: Tensor, flat: Sequence[Any], reverse: bool) -> Any:
    assert native is not None
    return native.Layer(
        kind=recipe.kind,
        is_double=x.dtype is torch.float64,
        steps=batch.steps,
        rows=batch.rows,
        inputs=x.shape[-1],
        hidden=flat[0].shape[0] // GATES[recipe.kind],
        width=flat[1].shape[1],
        directions=recipe.stack.directions,
        projected=flat[4] is not None,
        threads=torch.get_num_threads(),
        lengths=address_of(batch.lengths),
        batch_sizes=address_of(batch.batch_sizes),
        reverse=reverse,
    )


def _of_masks(masks: Masks | None, dtype: torch.dtype) -> tuple[tuple[int, int, int, float, float], list[Tensor]]:
    """Addresses and shares, and the tensors that must live as long as the addresses are used."""
    if masks is None:
        return (0, 0, 0, 0.0, 0.0), []
    held = [part.detach().to(dtype).contiguous() for part in masks if isinstance(part, Tensor)]
    left = iter(held)
    h_in, keep_h, keep_c = (next(left).data_ptr() if isinstance(part, Tensor) else 0 for part in masks)
    share_h, share_c = (part if isinstance(part, int | float) else 0.0 for part in (masks.keep_h, masks.keep_c))
    return (h_in, keep_h, keep_c, share_h, share_c), held


def _place(x: Tensor | None, batch: Batch, recipe: Recipe) -> tuple[int, int, int]:
    """Address, elements from one step to the next, and from one row to the next."""
    return (0, 0, 0) if x is None else (x.data_ptr(), *strides_of(x, batch, recipe.stack))
