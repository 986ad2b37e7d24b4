"""One call of the native kernels over one layer: tensors to addresses and strides, nothing of autograd."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from recurra.errors import ShapeError
from recurra.kernels._call import PARTS, Call, Result, Stack, Weights
from recurra.kernels._compiled import native
from recurra.kernels._options import PLAIN, Options

GATES = (1, 4, 3, 3)
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
        options: what is computed beyond the plain equations.
        variant: the options as the kernel takes them that has every one of them; None where a plain kernel serves.
        time_first: whether the output lies in memory step by step, whatever its layout.
    """

    kind: int
    activation: int
    stack: Stack
    states: int
    reference: Callable[[Call], Result]
    options: Options = PLAIN
    variant: Any = None
    time_first: bool = False

    @property
    def parts(self) -> int:
        """Fields of Weights that the kernel takes of each direction."""
        return PARTS if self.variant is None else len(Weights._fields)


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


class Incoming(NamedTuple):
    """Gradients that come in.

    Attributes:
        y: of the outputs, or None.
        last: of each part of the last state [D, B, ...], or None.
    """

    y: Tensor | None
    last: Sequence[Tensor | None]


class Outgoing(NamedTuple):
    """Where gradients go; None where they are not wanted.

    Attributes:
        x: [D, *x.shape], of each direction.
        first: of each part of the first state [D, B, ...].
        flat: of each weight; an empty list if none is wanted.
    """

    x: Tensor | None
    first: Sequence[Tensor | None]
    flat: Sequence[Tensor | None]


def in_rows(x: Tensor) -> Tensor:
    """The same values with neighbouring features next to each other in memory."""
    if x.is_neg():  # a view that PyTorch negates when it is read
        x = x.resolve_neg()
    return x if x.stride(-1) == 1 or x.shape[-1] == 1 else x.contiguous()


def dense(part: Any) -> Any:
    """The same values in one piece; None stays None."""
    if part is None or (part.is_contiguous() and not part.is_neg()):
        return part
    return part.resolve_neg().contiguous()


def in_layout(recipe: Recipe, batch: Batch, width: int, dtype: torch.dtype, rows: int) -> Tensor:
    """Memory for the outputs, in the layout of the input; `rows` are those of a packed batch."""
    if batch.batch_sizes is not None:
        return torch.empty((rows, width), dtype=dtype)
    if not recipe.stack.batch_first:
        return torch.empty((batch.steps, batch.rows, width), dtype=dtype)
    if recipe.time_first:
        return torch.empty((batch.steps, batch.rows, width), dtype=dtype).transpose(0, 1)
    return torch.empty((batch.rows, batch.steps, width), dtype=dtype)


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
    """Fill y and the last state; everything is dense but x and y, whose strides are taken.

    Args:
        recipe: what to compute; its stack says how many directions.
        batch: sizes and lengths.
        x: the input, its last axis dense.
        y: where the output goes, likewise; it may be a view of one direction's half.
        states: before the first step (None for zeros) and after the last, parts [D, B, ...].
        flat: the fields of the Weights of each direction.
        keep: whether the tapes are wanted.
        reverse: whether the first direction runs from the last step to the first.

    Returns:
        The tapes, or None.

    Raises:
        ShapeError: if sizes, lengths or memory cannot be as they are said to be.
    """
    assert native is not None
    stack, kind, dtype = recipe.stack, recipe.kind, x.dtype
    first, last = states
    frozen = None if keep or stack.frozen is None else stack.frozen[0]
    arguments = (
        kind,
        recipe.activation,
        dtype is torch.float64,
        batch.steps,
        batch.rows,
        x.shape[-1],
        flat[0].shape[0] // GATES[kind],  # type: ignore[union-attr]
        flat[1].shape[1],  # type: ignore[union-attr]
        2 if stack.bidirectional else 1,
        flat[4] is not None,
        torch.get_num_threads(),
        address_of(batch.lengths),
        address_of(batch.batch_sizes),
        address_of(x),
        *strides_of(x, batch, stack),
        address_of(y),
        *strides_of(y, batch, stack),
        addresses_of(flat),
        *pair_of(first),
        *pair_of(last),
        keep,
        reverse,
        frozen,
    )
    try:
        return native.forward(*arguments)
    except ValueError as error:  # what only the kernels look at, such as lengths in a compiled graph
        raise ShapeError(str(error)) from None


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
    """Fill the gradients that are wanted.

    Args:
        tapes: of the forward pass.
        recipe: as in the forward pass.
        batch: as in the forward pass.
        values: x, y, the parts of the first state, the flat weights.
        given: gradients that come in.
        wanted: where they go.
        keep: whether the tapes must serve again.
    """
    assert native is not None
    stack = recipe.stack
    x, y, first, flat = values
    dx = wanted.x
    native.backward(
        tapes,
        address_of(x),
        *strides_of(x, batch, stack),
        address_of(y),
        *strides_of(y, batch, stack),
        address_of(given.y),
        *((0, 0) if given.y is None else strides_of(given.y, batch, stack)),
        address_of(dx),
        *((0, 0) if dx is None else strides_of(dx[0], batch, stack)),
        0 if dx is None else dx.stride(0),
        addresses_of(flat),
        addresses_of(wanted.flat),
        *pair_of(first),
        *pair_of(given.last),
        *pair_of(wanted.first),
        keep,
    )


def addresses_of(parts: Sequence[Tensor | None]) -> list[int]:
    """Where each part lies, 0 for one that is not there."""
    return [0 if part is None else part.data_ptr() or _nowhere(part) for part in parts]


def address_of(x: Tensor | None) -> int:
    """Where it lies, 0 for None."""
    return 0 if x is None else x.data_ptr() or _nowhere(x)


def _nowhere(x: Tensor) -> int:
    """0 for a tensor without numbers; one that has some, and lies nowhere, is refused."""
    if x.numel():
        raise ShapeError(
            f"a tensor of shape {list(x.shape)} has no memory: its storage was let go, or it is on {x.device}"
        )
    return 0


def pair_of(parts: Sequence[Tensor | None]) -> tuple[int, int]:
    """Where h and c of a state lie, 0 for what is not there."""
    return address_of(parts[0]), address_of(parts[1]) if len(parts) > 1 else 0


def strides_of(x: Tensor, batch: Batch, stack: Stack) -> tuple[int, int]:
    """Elements from one step to the next, and from one row to the next."""
    strides = x.stride()
    if batch.batch_sizes is not None:
        return 0, strides[0]
    return (strides[1], strides[0]) if stack.batch_first else (strides[0], strides[1])
