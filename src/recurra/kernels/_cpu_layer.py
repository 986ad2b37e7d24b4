"""One layer on the native kernels: tensors to addresses, and first derivatives; higher ones through the equations."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from recurra.kernels._call import Call, Result, Stack, Weights
from recurra.kernels._compiled import native

_PARTS = 5  # of Weights
GATES = (1, 4, 3)
"""Of each kind of recurrence."""

InitialState: TypeAlias = tuple[Tensor | None, ...]
"""(h,) or (h, c); None stands for zeros."""


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
                y, *last = _Layer.apply(recipe, batch, x, *state, *flat)  # type: ignore[no-untyped-call]
                return y, tuple(last)
    y, after, _ = _forward(recipe, batch, x, state, flat, False)
    return y, after


def _rows(x: Tensor) -> Tensor:
    """The same values with neighbouring features next to each other in memory."""
    return x if x.stride(-1) == 1 or x.shape[-1] == 1 else x.contiguous()


def _strides(x: Tensor, batch: Batch, stack: Stack) -> tuple[int, int]:
    """Elements from one step to the next, and from one row to the next."""
    strides = x.stride()
    if batch.batch_sizes is not None:
        return 0, strides[0]
    return (strides[1], strides[0]) if stack.batch_first else (strides[0], strides[1])


def _address(x: Tensor | None) -> int:
    return 0 if x is None else x.data_ptr()


def _addresses(parts: Sequence[Tensor | None]) -> list[int]:
    return [0 if part is None else part.data_ptr() for part in parts]


def _dense(part: Any) -> Any:
    return part if part is None or part.is_contiguous() else part.contiguous()


def _forward(
    recipe: Recipe, batch: Batch, x: Tensor, state: InitialState, flat: Sequence[Tensor | None], keep: bool
) -> tuple[Tensor, tuple[Tensor, ...], Any]:
    assert native is not None
    x, dtype = _rows(x), x.dtype
    stack, kind = recipe.stack, recipe.kind
    directions = 2 if stack.bidirectional else 1
    dense = [_dense(part) for part in flat]
    hidden, width = dense[0].shape[0] // GATES[kind], dense[1].shape[1]
    y = _output(recipe, batch, x, width * directions)
    first = [_dense(part) for part in state]
    hn = torch.empty((directions, batch.rows, width), dtype=dtype)
    cn = torch.empty((directions, batch.rows, hidden), dtype=dtype) if recipe.states == 2 else None
    tapes = native.forward(
        kind,
        recipe.activation,
        dtype is torch.float64,
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
        _addresses(dense),
        _address(first[0]),
        _address(first[1]) if cn is not None else 0,
        hn.data_ptr(),
        _address(cn),
        keep,
    )
    return y, (hn,) if cn is None else (hn, cn), tapes


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
    if dy.numel() and not any(dy.stride()[:-1]):
        row = dy[(0,) * (dy.dim() - 1)].contiguous()
        return row.expand(dy.shape)
    return dy.contiguous()


class _Layer(torch.autograd.Function):
    """First derivatives by the native backward pass; under create_graph everything again through the equations.

    Takes the recipe, the batch, x, the parts of the state, then the flat weights.
    """

    @staticmethod
    def forward(ctx: Any, recipe: Recipe, batch: Batch, x: Tensor, *rest: Tensor | None) -> Any:
        states = recipe.states
        y, last, ctx.tapes = _forward(recipe, batch, x, rest[:states], rest[states:], True)
        ctx.recipe, ctx.batch = recipe, batch
        ctx.save_for_backward(x, y, *rest)
        ctx.set_materialize_grads(False)
        return (y, *last)

    @staticmethod
    def backward(ctx: Any, *given: Tensor | None) -> Any:
        x, y, *rest = ctx.saved_tensors
        if torch.is_grad_enabled():
            return (None, None, *_by_equations(ctx, (x, *rest), given))
        if all(part is None for part in given):
            return (None,) * len(ctx.needs_input_grad)
        return (None, None, *_backward(ctx, x, y, rest, given))


def _by_equations(ctx: Any, inputs: tuple[Any, ...], given: tuple[Any, ...]) -> list[Tensor | None]:
    """Gradients that can be differentiated again: the equations on aliases of the inputs, which keep their history."""
    recipe, batch, needed = ctx.recipe, ctx.batch, ctx.needs_input_grad[2:]
    aliases: list[Any] = [None if part is None else part.view_as(part) for part in inputs]
    x, state, flat = aliases[0], aliases[1 : 1 + recipe.states], aliases[1 + recipe.states :]
    weights = [Weights(*flat[k : k + _PARTS]) for k in range(0, len(flat), _PARTS)]
    widths = (weights[0].w_hh.shape[1], weights[0].w_ih.shape[0] // GATES[recipe.kind])
    before = tuple(
        x.new_zeros(recipe.stack.directions, batch.rows, widths[k]) if part is None else part
        for k, part in enumerate(state)
    )
    call = Call(x, before, weights, recipe.stack, batch.lengths, batch.batch_sizes, activation=recipe.phi)
    y, last = recipe.reference(call)
    outputs, wanted = zip(*[(o, g) for o, g in zip((y, *last), given, strict=True) if g is not None], strict=True)
    sources = [part for part, need in zip(aliases, needed, strict=True) if need]
    found = iter(torch.autograd.grad(outputs, sources, wanted, create_graph=True, allow_unused=True))
    return [next(found) if need else None for need in needed]


def _backward(ctx: Any, x: Tensor, y: Tensor, rest: list[Any], given: tuple[Any, ...]) -> list[Tensor | None]:
    assert native is not None
    recipe, batch, needed = ctx.recipe, ctx.batch, ctx.needs_input_grad[2:]
    stack, states = recipe.stack, recipe.states
    x, y = _rows(x), _rows(y)
    dense = [_dense(part) for part in rest]
    dy, dlast = given[0], [_dense(part) for part in given[1:]]
    if dy is not None and dy.stride(-1) != 1:
        dy = _one_row(dy)
    dx = torch.empty((stack.directions, *x.shape), dtype=x.dtype) if needed[0] else None
    dfirst = [torch.empty_like(part) if need else None for part, need in zip(dense[:states], needed[1:], strict=False)]
    flat, wants = dense[states:], any(needed[1 + states :])
    gradients = [None if part is None else torch.empty_like(part) for part in flat] if wants else []
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
        _addresses(flat),
        _addresses(gradients),
        _address(dense[0]),
        _address(dense[1]) if states == 2 else 0,
        _address(dlast[0]),
        _address(dlast[1]) if states == 2 else 0,
        _address(dfirst[0]),
        _address(dfirst[1]) if states == 2 else 0,
        _keep_graph(),
    )
    if dx is not None:
        dx = dx[0] if stack.directions == 1 else dx[0] + dx[1]
    return [dx, *dfirst, *(gradients or [None] * len(flat))]


_keep_graph: Callable[[], bool] = getattr(torch._C._autograd, "_get_current_graph_task_keep_graph", lambda: True)
