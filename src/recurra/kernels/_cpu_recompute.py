"""A layer that keeps no gates: the backward pass runs it again, part by part, from states kept between the parts.

With parts of about sqrt(T) steps the gates of one part are all that lives at once; everything is computed twice going
forward.

Source: Chen et al. 2016, Training deep nets with sublinear memory cost; Gruslys et al. 2016, for recurrent networks.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from recurra.kernels import _cpu_call
from recurra.kernels._call import Stack
from recurra.kernels._cpu_call import Batch, Incoming, Outgoing, Recipe, dense, in_rows
from recurra.kernels._cpu_layer import (
    by_equations,
    empty_state,
    found_gradients,
    kernel_of,
    one_row,
    room_for_gradients,
    wants_equations,
)
from recurra.kernels._options import Masks

_FEWEST_STEPS = 8


def is_worthwhile(recipe: Recipe, batch: Batch) -> bool:
    """Whether anything is saved: a plain recurrent layer keeps its outputs only, and few steps are one part."""
    return recipe.kind != 0 and batch.steps > _FEWEST_STEPS


@dataclass(frozen=True)
class _Part:
    """Steps begin..end of a batch, as a batch of its own: padded, ragged or packed."""

    begin: int
    end: int
    batch: Batch
    rows: slice
    layout: int

    def of(self, x: Tensor) -> Tensor:
        """These steps of a tensor in the layout of the input."""
        if self.batch.batch_sizes is not None:
            return x[self.rows]
        return x.narrow(self.layout, self.begin, self.end - self.begin)


def _parts(batch: Batch, stack: Stack) -> list[_Part]:
    steps = batch.steps
    size = max(_FEWEST_STEPS, math.isqrt(steps))
    found = []
    ends = [0, *([] if batch.batch_sizes is None else batch.batch_sizes.cumsum(0).tolist())]
    for begin in range(0, steps, size):
        end = min(steps, begin + size)
        lengths, sizes, rows, place = batch.lengths, batch.batch_sizes, batch.rows, slice(0)
        if lengths is not None:
            lengths = (lengths - begin).clamp(0, end - begin)
        if sizes is not None:
            sizes, place = sizes[begin:end], slice(ends[begin], ends[end])
            rows = int(sizes[0])
        found.append(_Part(begin, end, Batch(end - begin, rows, lengths, sizes), place, 1 if stack.batch_first else 0))
    return found


def _one_direction(recipe: Recipe, d: int) -> Recipe:
    masks = recipe.stack.masks
    alone = None if masks is None else masks.of_layer(slice(d, d + 1))
    return recipe._replace(stack=Stack(1, False, recipe.stack.batch_first, masks=alone))


def _of_part(recipe: Recipe, part: _Part) -> Recipe:
    """The recipe with the masks of these steps and rows."""
    masks = recipe.stack.masks
    if masks is None:
        return recipe
    h_in = None if masks.h_in is None else masks.h_in[:, : part.batch.rows]
    keep = (
        k[:, part.begin : part.end, : part.batch.rows] if isinstance(k, Tensor) else k
        for k in (masks.keep_h, masks.keep_c)
    )
    return recipe._replace(stack=replace(recipe.stack, masks=Masks(h_in, *keep)))


def _is_reverse(recipe: Recipe, direction: int) -> bool:
    return (direction == 1) != recipe.options.reverse


def _in_order(parts: Sequence[_Part], reverse: bool) -> list[_Part]:
    return list(reversed(parts)) if reverse else list(parts)


def _directions(y: Tensor, directions: int) -> Iterator[tuple[int, Tensor]]:
    yield from enumerate(y.chunk(directions, -1))


def _go_forward(
    recipe: Recipe,
    direction: int,
    parts: Sequence[_Part],
    x: Tensor,
    y: Tensor,
    now: tuple[Tensor, ...],
    flat: Sequence[Tensor | None],
) -> list[tuple[Tensor, ...]]:
    """Run the parts of one direction one after the other; `now` goes from the first state to the last.

    Returns:
        The state before each part.
    """
    between, reverse = [], _is_reverse(recipe, direction)
    one = _one_direction(recipe, direction)
    for part in _in_order(parts, reverse):
        before = tuple(state[:, : part.batch.rows].clone() for state in now)
        after = tuple(torch.empty_like(state) for state in before)
        kernel_of(recipe).run_forward(
            _of_part(one, part), part.batch, part.of(x), part.of(y), (before, after), flat, keep=False, reverse=reverse
        )
        for state, new in zip(now, after, strict=True):
            state[:, : part.batch.rows] = new
        between.append(before)
    return between


class Recomputed(torch.autograd.Function):
    """As `_cpu_layer.Kept`, but keeps the states between parts instead of all gates and cells."""

    @staticmethod
    def forward(ctx: Any, recipe: Recipe, batch: Batch, x: Tensor, *rest: Tensor | None) -> Any:
        """Outputs and the parts of the last state."""
        states, directions = recipe.states, recipe.stack.directions
        x = in_rows(x)
        weights = [dense(part) for part in rest[states:]]
        y = _cpu_call.in_layout(recipe, batch, weights[1].shape[1] * directions, x.dtype, x.shape[0])
        last = empty_state(recipe, weights, directions, batch.rows, torch.zeros)
        parts, fields, ctx.between = _parts(batch, recipe.stack), recipe.parts, []
        for d, half in _directions(y, directions):
            now = tuple(part[d : d + 1] for part in last)
            for state, first in zip(now, rest[:states], strict=True):
                if first is not None:
                    state.copy_(first[d : d + 1])
            flat = weights[d * fields : (d + 1) * fields]
            ctx.between.append(_go_forward(recipe, d, parts, x, half, now, flat))
        ctx.recipe, ctx.batch = recipe, batch
        ctx.save_for_backward(x, y, *rest)
        ctx.set_materialize_grads(False)
        return (y, *last)

    @staticmethod
    def backward(ctx: Any, *given: Tensor | None) -> Any:
        """The gradient of every tensor argument."""
        x, y, *rest = ctx.saved_tensors
        if all(part is None for part in given):
            return (None,) * len(ctx.needs_input_grad)
        if wants_equations(given):
            return (None, None, *by_equations(ctx, (x, *rest), given))
        return (None, None, *_backward(ctx, x, y, rest, given))


def _backward(ctx: Any, x: Tensor, y: Tensor, rest: list[Any], given: tuple[Any, ...]) -> list[Tensor | None]:
    recipe, batch = ctx.recipe, ctx.batch
    states, directions = recipe.states, recipe.stack.directions
    x, dense_parts = in_rows(x), [dense(part) for part in rest]
    wanted = room_for_gradients(recipe, x, dense_parts, ctx.needs_input_grad[2:])
    dy = None if given[0] is None else one_row(given[0])
    dlast = empty_state(recipe, dense_parts[states:], directions, batch.rows, torch.zeros)
    for carried, gradient in zip(dlast, given[1:], strict=True):
        if gradient is not None:
            carried.copy_(gradient)
    parts, fields = _parts(batch, recipe.stack), recipe.parts
    for d, half in _directions(y, directions):
        flat = dense_parts[states + d * fields : states + (d + 1) * fields]
        gradients = wanted.flat[d * fields : (d + 1) * fields]
        now = tuple(carried[d : d + 1] for carried in dlast)
        through = _Through(recipe, flat, d, gradients, None if wanted.x is None else wanted.x[d : d + 1])
        order = _in_order(parts, _is_reverse(recipe, d))
        for k in reversed(range(len(order))):
            part = order[k]
            upper = None if dy is None else part.of(dy.chunk(directions, -1)[d])
            through.part(part, part.of(x), part.of(half), ctx.between[d][k], Incoming(upper, now))
    for first, carried in zip(wanted.first, dlast, strict=True):
        if first is not None:
            first.copy_(carried)
    return found_gradients(wanted, len(dense_parts) - states)


class _Through:
    """The backward pass of one direction, part by part; weight gradients add up, the state's gradient is carried."""

    def __init__(
        self, recipe: Recipe, flat: Sequence[Any], direction: int, gradients: Sequence[Tensor | None], dx: Tensor | None
    ) -> None:
        self.recipe, self.flat, self.gradients, self.dx = _one_direction(recipe, direction), flat, gradients, dx
        self.reverse = _is_reverse(recipe, direction)
        self.begun = False

    def part(self, part: _Part, x: Tensor, y: Tensor, before: tuple[Tensor, ...], given: Incoming) -> None:
        """Compute the gates of one part again and go back through them; given.last becomes the gradient before it."""
        recipe, rows = _of_part(self.recipe, part), part.batch.rows
        again = _cpu_call.in_layout(recipe, part.batch, y.shape[-1], y.dtype, y.shape[0])
        after = tuple(torch.empty_like(state) for state in before)
        tapes = kernel_of(recipe).run_forward(
            recipe, part.batch, x, again, (before, after), self.flat, keep=True, reverse=self.reverse
        )
        dlast = [state[:, :rows].clone() for state in given.last if state is not None]
        dfirst = [torch.empty_like(state) for state in dlast]
        fresh = [None if g is None else torch.empty_like(g) for g in self.gradients] if self.begun else self.gradients
        dx = None if self.dx is None else part.of(self.dx[0])[None]
        kernel_of(recipe).run_backward(
            tapes,
            recipe,
            part.batch,
            (x, y, before, self.flat),
            Incoming(given.y, dlast),
            Outgoing(dx, dfirst, fresh),
            keep=False,
        )
        for state, new in zip(given.last, dfirst, strict=True):
            assert state is not None
            state[:, :rows] = new
        if self.begun:
            for total, share in zip(self.gradients, fresh, strict=True):
                if total is not None and share is not None:
                    total.add_(share)
        self.begun = True
