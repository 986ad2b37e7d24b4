"""A stack of layers on the native kernels: what the three "native" backends share."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout

from recurra.kernels import _ops
from recurra.kernels._activations import Activation
from recurra.kernels._call import PARTS, Call, Result, Stack, State, Weights
from recurra.kernels._compiled import PLAIN, native_is_built, why_not_here
from recurra.kernels._cpu_call import Batch, Recipe
from recurra.kernels._cpu_layer import run_layer
from recurra.kernels._cpu_variant import variant_of
from recurra.kernels._ops_code import KINDS, encode
from recurra.kernels._options import Options

RNN, LSTM, GRU, GRU_BEFORE = 0, 1, 2, 3


def run_native(kind: int, call: Call, reference: Callable[[Call], Result], activation: int = 0) -> Result:
    """The whole stack over the whole sequence, layer by layer."""
    stack = call.stack
    drops = stack.dropout > 0 and stack.training and stack.num_layers > 1
    tracing = torch.compiler.is_compiling()
    batch = None if tracing else _batch(call)
    variant = None if tracing else variant_of(KINDS[kind], call.options, call.used_options())
    fields = PARTS if variant is None else len(Weights._fields)
    y, finals = call.x, []
    for k in range(stack.num_layers):
        if k and drops:
            y = _drop(y, stack)
        here = slice(k * stack.directions, (k + 1) * stack.directions)
        state = call.state if stack.num_layers == 1 else tuple(part[here] for part in call.state)
        if batch is None:
            one = Call(y, state, call.weights[here], stack.layer(k), call.lengths, options=call.options)
            y, last = _traced_layer(kind, activation, one)
        else:
            flat = [part for w in call.weights[here] for part in w[:fields]]
            recipe = Recipe(kind, activation, stack.layer(k), len(state), reference, call.options, variant, drops)
            y, last = run_layer(recipe, batch, y, state, flat)
        finals.append(last)
    if len(finals) == 1:
        return y, finals[0]
    return y, tuple(torch.cat(part) for part in zip(*finals, strict=True))


def _traced_layer(kind: int, activation: int, call: Call) -> Result:
    """One operator in the graph of torch.compile or torch.export."""
    weights = [part for w in call.weights for part in w if part is not None]
    masks = [mask for mask in call.masks or () if isinstance(mask, Tensor)]
    how, numbers = encode(kind, activation, call)
    y, *last = _ops.layer(call.x, list(call.state), weights, call.lengths, masks, how, numbers)
    return y, tuple(last[: len(call.state)])


@lru_cache(maxsize=64)
def _recipe(kind: int, activation: int, phi: str, stack: Stack, reference: Callable[[Call], Result]) -> Recipe:
    options = Options((Activation(phi),) if phi else (), reset_after=kind != GRU_BEFORE)
    return Recipe(kind, activation, stack, 2 if kind == LSTM else 1, reference, options)


def run_quick(
    kind: int,
    reference: Callable[[Call], Result],
    x: Tensor,
    flat: Sequence[Tensor | None],
    shapes: Sequence[tuple[int, ...] | None],
    stack: Stack,
    activation: tuple[int, str] = (0, ""),
) -> Result | None:
    """One layer over a padded batch from a state of zeros, without the checks that a layer's own tensors need not pass.

    Args:
        kind: of the recurrence.
        reference: its equations.
        x: the input, whatever it is.
        flat: the first fields of the Weights of each direction, one after the other.
        shapes: the shape that each must have.
        stack: one layer.
        activation: its number and name.

    Returns:
        None if anything is out of the ordinary; the usual way then serves or refuses.
    """
    if not native_is_built() or torch.compiler.is_compiling() or type(x) is not Tensor or x.dim() != 3:
        return None
    dtype, first = x.dtype, shapes[0]
    if first is None or x.shape[-1] != first[1] or why_not_here(x) is not None:
        return None
    for part, shape in zip(flat, shapes, strict=True):
        if part is None:
            if shape is not None:
                return None
        elif type(part) not in PLAIN or part.dtype is not dtype or part.shape != shape or not part.is_cpu:
            return None
    rows, steps, _ = x.shape if stack.batch_first else (x.shape[1], x.shape[0], 0)
    recipe = _recipe(kind, *activation, stack, reference)
    return run_layer(recipe, Batch(steps, rows, None, None), x, (None,) * recipe.states, flat)


def run_native_cell(kind: int, call: Call, reference: Callable[[Call], Result], activation: int = 0) -> State:
    """One time step of one layer."""
    state = tuple(part.unsqueeze(0) for part in call.state)
    sequence = Call(call.x.unsqueeze(0), state, call.weights, options=call.options)
    _, last = run_native(kind, sequence, reference, activation)
    return tuple(part.squeeze(0) for part in last)


def _batch(call: Call) -> Batch:
    lengths, sizes = call.lengths, call.batch_sizes
    if lengths is not None:
        lengths = lengths.clone()  # the backward pass may read them when their owner has changed them
    if sizes is None:
        return Batch(call.steps, call.batch, lengths, None)
    return Batch(call.steps, call.batch, None, sizes.to(torch.int64, copy=True).contiguous())


def _drop(y: Tensor, stack: Stack) -> Any:
    """Dropout in the order of time, as PyTorch draws it."""
    if stack.batch_first and y.dim() == 3:
        return dropout(y.transpose(0, 1), stack.dropout, True).transpose(0, 1)
    return dropout(y, stack.dropout, True)
