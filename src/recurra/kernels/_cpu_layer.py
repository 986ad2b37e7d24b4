"""One layer on the native kernels: tensors to addresses, and first derivatives; higher ones through the equations."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from recurra.kernels._call import Call, Result, Stack, Weights
from recurra.kernels._compiled import native

_PARTS = 5  # of Weights


class Recipe(NamedTuple):
    """What one layer computes, besides its tensors.

    Attributes:
        kind: of the recurrence, as csrc/kinds.hpp numbers them.
        activation: of a plain recurrent layer, likewise.
        stack: one layer of these directions and this layout.
        states: parts of a state.
        reference: the equations of a whole call.
        phi: the activation as the caller named it.
        time_first: whether the output lies in memory step by step, whatever its layout.
    """

    kind: int
    activation: int
    stack: Stack
    states: int
    reference: Callable[[Call], Result]
    phi: Any = "tanh"
    time_first: bool = False


class Batch(NamedTuple):
    """Sizes and lengths of what a layer reads.

    Attributes:
        steps, rows: T and B.
        lengths: [B] int64, contiguous, or None.
        batch_sizes: [T] int64, contiguous, of a packed batch, or None.
    """

    steps: int
    rows: int
    lengths: Tensor | None
    batch_sizes: Tensor | None


def run_layer(
    recipe: Recipe, batch: Batch, x: Tensor, state: tuple[Tensor, ...], weights: tuple[Weights, ...]
) -> Result:
    """One layer, all its directions, over a batch.

    Returns:
        The outputs in the layout of x, and the last states [D, B, ...].
    """
    flat = [part for w in weights for part in w]
    if torch.is_grad_enabled() and any(part is not None and part.requires_grad for part in (x, *state, *flat)):
        y, *last = _Layer.apply(  # type: ignore[no-untyped-call]
            recipe, batch, x, *_padded(state), *flat
        )
        return y, tuple(last[: recipe.states])
    y, last, _ = _forward(recipe, batch, x, state, flat, False)
    return y, last


def _padded(state: tuple[Tensor, ...]) -> tuple[Tensor | None, Tensor | None]:
    return (state[0], state[1]) if len(state) == 2 else (state[0], None)


def _rows(x: Tensor) -> Tensor:
    """The same values with neighbouring features next to each other in memory."""
    return x if x.stride(-1) == 1 or x.shape[-1] == 1 else x.contiguous()


def _strides(x: Tensor, batch: Batch, stack: Stack) -> tuple[int, int]:
    """Elements from one step to the next, and from one row to the next."""
    if batch.batch_sizes is not None:
        return 0, x.stride(0)
    return (x.stride(1), x.stride(0)) if stack.batch_first else (x.stride(0), x.stride(1))


def _address(x: Tensor | None) -> int:
    return 0 if x is None else x.data_ptr()


def _dense(part: Any) -> Any:
    return part if part is None or part.is_contiguous() else part.contiguous()


def _forward(
    recipe: Recipe, batch: Batch, x: Tensor, state: tuple[Tensor, ...], flat: list[Tensor | None], keep: bool
) -> tuple[Tensor, tuple[Tensor, ...], Any]:
    assert native is not None
    x = _rows(x)
    stack = recipe.stack
    dense = [_dense(part) for part in flat]
    w_ih, w_hh = dense[0], dense[1]
    assert w_ih is not None
    assert w_hh is not None
    hidden, width, directions = w_ih.shape[0] // GATES[recipe.kind], w_hh.shape[1], stack.directions
    y = _output(recipe, batch, x, width * directions)
    first = [_dense(part) for part in state]
    last = tuple(torch.empty_like(part, memory_format=torch.contiguous_format) for part in state)
    tapes = native.forward(
        recipe.kind,
        recipe.activation,
        x.dtype is torch.float64,
        batch.steps,
        batch.rows,
        x.shape[-1],
        hidden,
        width,
        directions,
        dense[4] is not None,
        torch.get_num_threads(),
        _address(batch.lengths),
        _address(batch.batch_sizes),
        x.data_ptr(),
        *_strides(x, batch, stack),
        y.data_ptr(),
        *_strides(y, batch, stack),
        [_address(part) for part in dense],
        _address(first[0]),
        _address(first[1]) if len(first) > 1 else 0,
        last[0].data_ptr(),
        last[1].data_ptr() if len(last) > 1 else 0,
        keep,
    )
    return y, last, tapes


GATES = (1, 4, 3)


def _output(recipe: Recipe, batch: Batch, x: Tensor, width: int) -> Tensor:
    if batch.batch_sizes is not None:
        return torch.empty((x.shape[0], width), dtype=x.dtype)
    if not recipe.stack.batch_first:
        return torch.empty((batch.steps, batch.rows, width), dtype=x.dtype)
    if recipe.time_first:
        return torch.empty((batch.steps, batch.rows, width), dtype=x.dtype).transpose(0, 1)
    return torch.empty((batch.rows, batch.steps, width), dtype=x.dtype)


def _one_row(dy: Tensor) -> Tensor:
    """An expanded gradient (of a sum, say) with one row of it in memory, repeated by strides of zero."""
    if all(stride == 0 for stride in dy.stride()[:-1]) and dy.numel():
        row = dy[(0,) * (dy.dim() - 1)].contiguous()
        return row.expand(dy.shape)
    return dy.contiguous()


class _Layer(torch.autograd.Function):
    """First derivatives by the native backward pass; under create_graph everything again through the equations."""

    @staticmethod
    def forward(
        ctx: Any, recipe: Recipe, batch: Batch, x: Tensor, h0: Tensor, c0: Tensor | None, *flat: Tensor | None
    ) -> Any:
        state = (h0,) if c0 is None else (h0, c0)
        y, last, ctx.tapes = _forward(recipe, batch, x, state, list(flat), True)
        ctx.recipe, ctx.batch = recipe, batch
        ctx.save_for_backward(x, y, h0, c0, *flat)
        ctx.set_materialize_grads(False)
        return (y, *last)

    @staticmethod
    def backward(ctx: Any, dy: Tensor | None, *dlast: Tensor | None) -> Any:
        x, y, h0, c0, *flat = ctx.saved_tensors
        if torch.is_grad_enabled():
            return (None, None, *_by_equations(ctx, (x, h0, c0, *flat), (dy, *dlast)))
        given = (dy, *dlast)
        if all(part is None for part in given):
            return (None,) * (len(ctx.needs_input_grad))
        return (None, None, *_backward(ctx, (x, y, h0, c0), flat, given))


def _by_equations(ctx: Any, inputs: tuple[Any, ...], given: tuple[Any, ...]) -> list[Tensor | None]:
    """Gradients that can be differentiated again: the equations on aliases of the inputs, which keep their history."""
    recipe, batch, needed = ctx.recipe, ctx.batch, ctx.needs_input_grad[2:]
    aliases: list[Any] = [None if part is None else part.view_as(part) for part in inputs]
    x, h0, c0, *flat = aliases
    weights = [Weights(*flat[k : k + _PARTS]) for k in range(0, len(flat), _PARTS)]
    state = (h0,) if c0 is None else (h0, c0)
    call = Call(x, state, weights, recipe.stack, batch.lengths, batch.batch_sizes, activation=recipe.phi)
    y, last = recipe.reference(call)
    outputs, wanted = zip(*[(o, g) for o, g in zip((y, *last), given, strict=True) if g is not None], strict=True)
    sources = [part for part, need in zip(aliases, needed, strict=True) if need]
    found = iter(torch.autograd.grad(outputs, sources, wanted, create_graph=True, allow_unused=True))
    return [next(found) if need else None for need in needed]


def _backward(
    ctx: Any, tensors: tuple[Any, ...], flat: list[Tensor | None], given: tuple[Tensor | None, ...]
) -> list[Tensor | None]:
    assert native is not None
    recipe, batch, needed = ctx.recipe, ctx.batch, ctx.needs_input_grad[2:]
    stack = recipe.stack
    x, y, h0, c0 = _rows(tensors[0]), _rows(tensors[1]), _dense(tensors[2]), _dense(tensors[3])
    dy, *dlast = given
    dy = None if dy is None else dy if dy.stride(-1) == 1 else _one_row(dy)
    dlast = [_dense(part) for part in dlast]
    dense = [_dense(part) for part in flat]
    dx = torch.empty((stack.directions, *x.shape), dtype=x.dtype) if needed[0] else None
    dh0, dc0 = (torch.empty_like(part) if need else None for part, need in ((h0, needed[1]), (c0, needed[2])))
    gradients = [None if part is None else torch.empty_like(part) for part in dense] if any(needed[3:]) else []
    native.backward(
        ctx.tapes,
        x.data_ptr(),
        *_strides(x, batch, stack),
        y.data_ptr(),
        *_strides(y, batch, stack),
        _address(dy),
        *((0, 0) if dy is None else _strides(dy, batch, stack)),
        _address(dx),
        *((0, 0) if dx is None else _strides(dx[0], batch, stack)),
        x.numel(),
        [_address(part) for part in dense],
        [_address(part) for part in gradients],
        _address(h0),
        _address(c0),
        _address(dlast[0]),
        _address(dlast[1]) if len(dlast) > 1 else 0,
        _address(dh0),
        _address(dc0),
        torch._C._autograd._get_current_graph_task_keep_graph(),
    )
    if dx is not None:
        dx = dx[0] if stack.directions == 1 else dx[0] + dx[1]
    return [dx, dh0, dc0, *(gradients or [None] * len(flat))]
