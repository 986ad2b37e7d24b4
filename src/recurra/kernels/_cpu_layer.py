"""One layer on the native kernels: first derivatives by its backward pass, higher ones through the equations."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from recurra.kernels import _cpu_call, _cpu_variant
from recurra.kernels._call import Call, Result, Weights
from recurra.kernels._cpu_call import GATES, Batch, Incoming, InitialState, Outgoing, Recipe, dense, in_rows
from recurra.kernels._dispatch import inside_transform


def run_layer(recipe: Recipe, batch: Batch, x: Tensor, state: InitialState, flat: Sequence[Tensor | None]) -> Result:
    """One layer, all its directions, over a batch.

    Args:
        recipe: what to compute.
        batch: sizes and lengths.
        x: the input, in the layout that the recipe names.
        state: parts [D, B, ...], each or None for zeros.
        flat: the fields of the Weights of each direction, one after the other.

    Returns:
        The outputs in the layout of x, and the last states [D, B, ...].
    """
    if torch.is_grad_enabled():
        for part in (x, *state, *flat):
            if part is not None and part.requires_grad:
                y, *last = _differentiable(recipe, batch).apply(recipe, batch, x, *state, *flat)
                return y, tuple(last)
    y, after, _ = forward(recipe, batch, x, state, flat, False)
    return y, after


def _differentiable(recipe: Recipe, batch: Batch) -> Any:
    """The autograd function that keeps the gates, or the one that computes them again."""
    if recipe.stack.recompute:
        from recurra.kernels._cpu_recompute import Recomputed, is_worthwhile

        if is_worthwhile(recipe, batch):
            return Recomputed
    return Kept


def forward(
    recipe: Recipe, batch: Batch, x: Tensor, state: InitialState, flat: Sequence[Tensor | None], keep: bool
) -> tuple[Tensor, tuple[Tensor, ...], Any]:
    """Outputs, last states and, if they are to be kept, the tapes."""
    x = in_rows(x)
    weights = [dense(part) for part in flat]
    directions = recipe.stack.directions
    y = _cpu_call.in_layout(recipe, batch, weights[1].shape[1] * directions, x.dtype, x.shape[0])
    last = empty_state(recipe, weights, directions, batch.rows)
    states = [dense(part) for part in state], last
    tapes = kernel_of(recipe).run_forward(
        recipe, batch, x, y, states, weights, keep=keep, reverse=recipe.options.reverse
    )
    return y, last, tapes


def kernel_of(recipe: Recipe) -> Any:
    """The module that calls the plain kernels, or the one that calls the kernel with every option."""
    return _cpu_call if recipe.variant is None else _cpu_variant


def empty_state(
    recipe: Recipe, weights: Sequence[Tensor | None], directions: int, rows: int, fill: Any = torch.empty
) -> tuple[Tensor, ...]:
    """Memory for (h,) or (h, c) of so many directions and rows."""
    w_ih, w_hh = weights[0], weights[1]
    assert w_ih is not None
    assert w_hh is not None
    widths = (w_hh.shape[1], w_ih.shape[0] // GATES[recipe.kind])
    return tuple(fill((directions, rows, width), dtype=w_ih.dtype) for width in widths[: recipe.states])


def one_row(dy: Tensor) -> Tensor:
    """A gradient as the kernels take it; one number everywhere (of a sum, say) as a row repeated by strides of zero."""
    if dy.is_neg():
        dy = dy.resolve_neg()
    strides = dy.stride()
    if strides[-1] == 1:
        return dy
    if not any(strides) and dy.numel():
        return dy.as_strided((dy.shape[-1],), (0,)).contiguous().as_strided(dy.shape, (*strides[:-1], 1))
    return dy.contiguous()


class Kept(torch.autograd.Function):
    """Keeps gates and cells for the backward pass; under create_graph everything again through the equations.

    Takes the recipe, the batch, x, the parts of the state, then the flat weights.
    """

    @staticmethod
    def forward(ctx: Any, recipe: Recipe, batch: Batch, x: Tensor, *rest: Tensor | None) -> Any:
        """Outputs and the parts of the last state."""
        states = recipe.states
        y, last, ctx.tapes = forward(recipe, batch, x, rest[:states], rest[states:], True)
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
        return (None, None, *backward(ctx, x, y, rest, given))


def wants_equations(given: Sequence[Tensor | None]) -> bool:
    """Whether the gradients that come in are more than numbers in memory: have a history, a tangent, a batch."""
    if torch.is_grad_enabled() or inside_transform():
        return True
    return any(part is not None and not torch._C._has_storage(part) for part in given)


def by_equations(ctx: Any, inputs: tuple[Any, ...], given: tuple[Any, ...]) -> list[Tensor | None]:
    """Gradients by the equations, on aliases of the inputs that keep their history under create_graph."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        aliases: list[Any] = [None if part is None else part.view_as(part) for part in inputs]
        outputs = _run_again(ctx, aliases)
    pairs = [(o, g) for o, g in zip(outputs, given, strict=True) if g is not None and o.requires_grad]
    needed = ctx.needs_input_grad[2:]
    sources = [part for part, need in zip(aliases, needed, strict=True) if need]
    if not pairs:  # without steps no output depends on anything
        left = iter([torch.zeros_like(part) for part in sources])
    else:
        ends, wanted = zip(*pairs, strict=True)
        left = iter(torch.autograd.grad(ends, sources, wanted, create_graph=again, allow_unused=True))
    return [next(left) if need else None for need in needed]


def _run_again(ctx: Any, aliases: Sequence[Any]) -> tuple[Tensor, ...]:
    """Outputs and last states of a layer, by its equations."""
    recipe, batch = ctx.recipe, ctx.batch
    x, state, flat = aliases[0], aliases[1 : 1 + recipe.states], aliases[1 + recipe.states :]
    weights = [Weights(*flat[k : k + recipe.parts]) for k in range(0, len(flat), recipe.parts)]
    zeros = empty_state(recipe, flat, recipe.stack.directions, batch.rows, torch.zeros)
    before = tuple(zero if part is None else part for part, zero in zip(state, zeros, strict=True))
    call = Call(x, before, weights, recipe.stack, batch.lengths, batch.batch_sizes, recipe.options)
    y, last = recipe.reference(call)
    return (y, *last)


def backward(ctx: Any, x: Tensor, y: Tensor, rest: list[Any], given: tuple[Any, ...]) -> list[Tensor | None]:
    """First derivatives of x, the state and the weights, by the native backward pass; None where none is needed."""
    recipe, batch, needed = ctx.recipe, ctx.batch, ctx.needs_input_grad[2:]
    states = recipe.states
    parts = [dense(part) for part in rest]
    values = (in_rows(x), in_rows(y), parts[:states], parts[states:])
    wanted = room_for_gradients(recipe, values[0], parts, needed)
    incoming = Incoming(None if given[0] is None else one_row(given[0]), [dense(part) for part in given[1:]])
    kernel_of(recipe).run_backward(ctx.tapes, recipe, batch, values, incoming, wanted, keep=keep_graph())
    return found_gradients(wanted, len(parts) - states)


def room_for_gradients(recipe: Recipe, x: Tensor, parts: Sequence[Any], needed: Sequence[bool]) -> Outgoing:
    """Memory for what is needed; needed names x, the parts of the state, then the weights."""
    states = recipe.states
    dx = torch.empty((recipe.stack.directions, *x.shape), dtype=x.dtype) if needed[0] else None
    first = [torch.empty_like(part) if need else None for part, need in zip(parts[:states], needed[1:], strict=False)]
    wants = any(needed[1 + states :])
    return Outgoing(
        dx, first, [None if part is None else torch.empty_like(part) for part in parts[states:]] if wants else []
    )


def found_gradients(wanted: Outgoing, weights: int) -> list[Tensor | None]:
    """In the order of the arguments; those of two directions added."""
    dx = wanted.x
    if dx is not None:
        dx = dx[0] if dx.shape[0] == 1 else dx[0] + dx[1]
    return [dx, *wanted.first, *(wanted.flat or [None] * weights)]


keep_graph: Callable[[], bool] = getattr(torch._C._autograd, "_get_current_graph_task_keep_graph", lambda: True)
"""Whether the graph that is being walked must serve again."""
