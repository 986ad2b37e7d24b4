"""One layer with options on the native kernels: first derivatives by their backward pass, higher ones by the equations."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from recurra.kernels import _cpu_call
from recurra.kernels._call import Result
from recurra.kernels._compiled import native
from recurra.kernels._cpu_call import GATES, Batch, Incoming, InitialState, Outgoing, Recipe, addresses_of, dense, in_rows
from recurra.kernels._cpu_layer import empty_state, found_gradients, keep_graph, one_row, room_for_gradients

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

NORMS = {None: 0, "ba": 1, "fastrnns": 2, "tflite": 3}
COUPLINGS = {None: 0, "input": 1, "forget": 2}
"""As csrc/variant.hpp numbers them."""

Phi: TypeAlias = tuple[str, float, float]
"""Name in `NUMBER`, alpha, beta."""


class Masks(NamedTuple):
    """What training draws for one layer; none of it has a gradient.

    Attributes:
        h_in: [D, B, P], multiplied with h before the recurrent product, or None.
        keep_h: [D, T, B, P], share of the old output that each step keeps, or one share for all.
        keep_c: [D, T, B, H], share of the old cell, likewise.
    """

    h_in: Tensor | None = None
    keep_h: Tensor | float = 0.0
    keep_c: Tensor | float = 0.0


class Variant(NamedTuple):
    """What one layer with options computes, besides its tensors.

    Attributes:
        plain: its kind, stack and parts of a state.
        options: made by `native_options`.
        masks: of this call.
        reverse: whether the first direction runs from the last step to the first.
        equations: the same layer from x, the state and the flat weights, in plain PyTorch.
    """

    plain: Recipe
    options: Any
    masks: Masks
    reverse: bool
    equations: Callable[[Tensor, tuple[Tensor, ...], Sequence[Tensor | None]], Result]


def native_options(
    phis: tuple[Phi, Phi, Phi],
    clips: tuple[float | None, float | None, float | None] = (None, None, None),
    coupling: str | None = None,
    norm: tuple[str | None, float] = (None, 1e-5),
) -> Any:
    """Options as the kernels take them.

    Args:
        phis: of the gates; of the candidate (or of a plain recurrent layer); of the LSTM's output.
        clips: bounds of the preactivations, of the new cell, of the projection.
        coupling: of the LSTM's input and forget gates.
        norm: the form of layer normalisation, and its eps.
    """
    assert native is not None
    gate, candidate, output = ((NUMBER[name], alpha, beta) for name, alpha, beta in phis)
    clip, cell_clip, projection_clip = (math.inf if bound is None else bound for bound in clips)
    return native.Options(
        gate=gate,
        candidate=candidate,
        output=output,
        clip=clip,
        cell_clip=cell_clip,
        projection_clip=projection_clip,
        norm=NORMS[norm[0]],
        coupling=COUPLINGS[coupling],
        eps=norm[1],
    )


def run_variant(variant: Variant, batch: Batch, x: Tensor, state: InitialState, flat: Sequence[Tensor | None]) -> Result:
    """One layer with options, all its directions, over a batch.

    Args:
        variant: what to compute.
        batch: sizes and lengths.
        x: the input, in the layout that the recipe names.
        state: parts [D, B, ...], each or None for zeros.
        flat: ten parts of each direction: w_ih, w_hh, b_ih, b_hh, w_hr, w_p, n_ih, n_hh, n_c, m_c.

    Returns:
        The outputs in the layout of x, and the last states [D, B, ...].
    """
    if torch.is_grad_enabled() and any(part is not None and part.requires_grad for part in (x, *state, *flat)):
        y, *last = KeptVariant.apply(variant, batch, x, *state, *flat)  # type: ignore[no-untyped-call]
        return y, tuple(last)
    y, after, _ = _forward(variant, batch, x, state, flat, False)
    return y, after


def _forward(
    variant: Variant, batch: Batch, x: Tensor, state: InitialState, flat: Sequence[Tensor | None], keep: bool
) -> tuple[Tensor, tuple[Tensor, ...], Any]:
    """Outputs, last states and, if they are to be kept, the tapes."""
    assert native is not None
    plain, x = variant.plain, in_rows(x)
    weights, before = [dense(part) for part in flat], [dense(part) for part in state]
    directions = plain.stack.directions
    y = _cpu_call.in_layout(plain, batch, weights[1].shape[1] * directions, x.dtype, x.shape[0])
    last = empty_state(plain, weights, directions, batch.rows)
    with_masks, held = _mask_numbers(variant.masks, x.dtype)
    tapes = native.variant_forward(
        _layer(variant, batch, x, weights),
        variant.options,
        _place(x, batch, plain),
        _place(y, batch, plain),
        addresses_of(weights),
        with_masks,
        _pair(before),
        _pair(last),
        keep,
    )
    del held
    return y, last, tapes


def _layer(variant: Variant, batch: Batch, x: Tensor, weights: Sequence[Any]) -> Any:
    assert native is not None
    plain = variant.plain
    return native.Layer(
        kind=plain.kind,
        is_double=x.dtype is torch.float64,
        steps=batch.steps,
        rows=batch.rows,
        inputs=x.shape[-1],
        hidden=weights[0].shape[0] // GATES[plain.kind],
        width=weights[1].shape[1],
        directions=plain.stack.directions,
        projected=weights[4] is not None,
        threads=torch.get_num_threads(),
        lengths=_address(batch.lengths),
        batch_sizes=_address(batch.batch_sizes),
        reverse=variant.reverse,
    )


def _mask_numbers(masks: Masks, dtype: torch.dtype) -> tuple[tuple[int, int, int, float, float], list[Tensor]]:
    """Addresses and shares, and the tensors that must live as long as the addresses are used."""
    held: list[Tensor] = []
    addresses, shares = [], []
    for mask in masks:
        address, share = 0, 0.0
        if isinstance(mask, Tensor):
            held.append(mask.detach().to(dtype).contiguous())
            address = held[-1].data_ptr()
        elif mask is not None:
            share = mask
        addresses.append(address)
        shares.append(share)
    return (addresses[0], addresses[1], addresses[2], shares[1], shares[2]), held


def _address(x: Tensor | None) -> int:
    return 0 if x is None else x.data_ptr()


def _pair(parts: Sequence[Tensor | None]) -> tuple[int, int]:
    return _address(parts[0]), _address(parts[1]) if len(parts) > 1 else 0


def _place(x: Tensor | None, batch: Batch, plain: Recipe) -> tuple[int, int, int]:
    """Address, elements from one step to the next, and from one row to the next."""
    if x is None:
        return 0, 0, 0
    strides = x.stride()
    if batch.batch_sizes is not None:
        return x.data_ptr(), 0, strides[0]
    by_time, by_row = (strides[1], strides[0]) if plain.stack.batch_first else (strides[0], strides[1])
    return x.data_ptr(), by_time, by_row


class KeptVariant(torch.autograd.Function):
    """Keeps sums and cells for the backward pass; under create_graph everything again through the equations.

    Takes the variant, the batch, x, the parts of the state, then the flat weights.
    """

    @staticmethod
    def forward(ctx: Any, variant: Variant, batch: Batch, x: Tensor, *rest: Tensor | None) -> Any:
        """Outputs and the parts of the last state."""
        states = variant.plain.states
        y, last, ctx.tapes = _forward(variant, batch, x, rest[:states], rest[states:], True)
        ctx.variant, ctx.batch = variant, batch
        ctx.save_for_backward(x, y, *rest)
        ctx.set_materialize_grads(False)
        return (y, *last)

    @staticmethod
    def backward(ctx: Any, *given: Tensor | None) -> Any:
        """The gradient of every tensor argument."""
        x, y, *rest = ctx.saved_tensors
        if all(part is None for part in given):
            return (None,) * len(ctx.needs_input_grad)
        if torch.is_grad_enabled():
            return (None, None, *_by_equations(ctx, (x, *rest), given))
        return (None, None, *_backward(ctx, x, y, rest, given))


def _by_equations(ctx: Any, inputs: tuple[Any, ...], given: tuple[Any, ...]) -> list[Tensor | None]:
    """Gradients that can be differentiated again: the equations on aliases of the inputs, which keep their history."""
    variant, needed = ctx.variant, ctx.needs_input_grad[2:]
    plain = variant.plain
    aliases: list[Any] = [None if part is None else part.view_as(part) for part in inputs]
    x, state, flat = aliases[0], aliases[1 : 1 + plain.states], aliases[1 + plain.states :]
    zeros = empty_state(plain, flat, plain.stack.directions, ctx.batch.rows, torch.zeros)
    before = tuple(zero if part is None else part for part, zero in zip(state, zeros, strict=True))
    y, last = variant.equations(x, before, flat)
    outputs, wanted = zip(*[(o, g) for o, g in zip((y, *last), given, strict=True) if g is not None], strict=True)
    sources = [part for part, need in zip(aliases, needed, strict=True) if need]
    found = iter(torch.autograd.grad(outputs, sources, wanted, create_graph=True, allow_unused=True))
    return [next(found) if need else None for need in needed]


def _backward(ctx: Any, x: Tensor, y: Tensor, rest: list[Any], given: tuple[Any, ...]) -> list[Tensor | None]:
    """First derivatives of x, the state and the weights, by the native backward pass; None where none is needed."""
    variant, needed = ctx.variant, ctx.needs_input_grad[2:]
    states = variant.plain.states
    parts = [dense(part) for part in rest]
    values = (in_rows(x), in_rows(y), parts[:states], parts[states:])
    wanted = room_for_gradients(variant.plain, values[0], parts, needed)
    incoming = Incoming(None if given[0] is None else one_row(given[0]), [dense(part) for part in given[1:]])
    _run_backward(ctx, values, incoming, wanted)
    return found_gradients(wanted, len(parts) - states)


def _run_backward(
    ctx: Any,
    values: tuple[Tensor, Tensor, Sequence[Tensor | None], Sequence[Tensor | None]],
    given: Incoming,
    wanted: Outgoing,
) -> None:
    assert native is not None
    x, y, first, flat = values
    batch, plain, dx = ctx.batch, ctx.variant.plain, wanted.x
    with_masks, held = _mask_numbers(ctx.variant.masks, x.dtype)
    native.variant_backward(
        ctx.tapes,
        _place(x, batch, plain),
        _place(y, batch, plain),
        _place(given.y, batch, plain),
        _place(None if dx is None else dx[0], batch, plain),
        0 if dx is None else dx.stride(0),
        addresses_of(flat),
        addresses_of(wanted.flat),
        with_masks,
        _pair(first),
        _pair(given.last),
        _pair(wanted.first),
        keep_graph(),
    )
    del held
