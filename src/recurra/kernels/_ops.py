"""The layer as an operator for torch.compile and torch.export: one node in the graph, any number of steps and rows."""

# ruff: noqa: ARG001  a fake kernel takes what the kernel takes

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from recurra.errors import BackendUnavailable
from recurra.kernels import _cpu_layer
from recurra.kernels._cpu_call import Batch, Recipe
from recurra.kernels._ops_code import decode, fields_there


def _refuse_forward_mode() -> None:
    """PyTorch would take the tangent of an operator without a rule for zero."""
    if forward_ad._current_level >= 0:
        raise BackendUnavailable(
            "a compiled or exported layer has no forward-mode derivative (jvp, jacfwd, hessian); "
            "take it of the layer itself, or compile with the transform inside"
        )


def _recipe(how: list[int], numbers: list[float], masks: list[Tensor]) -> Recipe:
    def no_equations(_: object) -> Any:
        raise NotImplementedError("an exported layer has first derivatives only")

    return decode(how, numbers, masks, no_equations)


def _flat(recipe: Recipe, weights: list[Tensor], how: list[int]) -> list[Tensor | None]:
    """The fields of the Weights of each direction that the kernel takes, None where there is none."""
    left, there = iter(weights), fields_there(how)[: recipe.parts]
    return [next(left) if part else None for _ in range(recipe.stack.directions) for part in there]


def _batch(x: Tensor, lengths: Tensor | None, batch_first: bool) -> Batch:
    rows, steps = (x.shape[0], x.shape[1]) if batch_first else (x.shape[1], x.shape[0])
    return Batch(steps, rows, None if lengths is None else lengths.contiguous(), None)


@torch.library.custom_op("recurra::layer", mutates_args=(), device_types="cpu")
def layer(
    x: Tensor,
    state: list[Tensor],
    weights: list[Tensor],
    lengths: Tensor | None,
    masks: list[Tensor],
    how: list[int],
    numbers: list[float],
) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs, last h and last c (empty without one) of one layer.

    masks: those of recurrent dropout and zoneout that are tensors. how, numbers: made by `_ops_code.encode`.
    """
    _refuse_forward_mode()
    recipe = _recipe(how, numbers, masks)
    y, last, _ = _cpu_layer.forward(
        recipe, _batch(x, lengths, bool(how[3])), x, tuple(state), _flat(recipe, weights, how), False
    )
    return y, last[0], last[1] if len(last) > 1 else x.new_empty(0)


@layer.register_fake
def _(
    x: Tensor,
    state: list[Tensor],
    weights: list[Tensor],
    lengths: Tensor | None,
    masks: list[Tensor],
    how: list[int],
    numbers: list[float],
) -> tuple[Tensor, Tensor, Tensor]:
    directions = 2 if how[2] else 1
    rest = [torch.empty(part.shape, dtype=x.dtype, device=x.device) for part in state]
    y = x.new_empty((*x.shape[:-1], directions * state[0].shape[-1]))
    return y, rest[0], rest[1] if len(rest) > 1 else x.new_empty(0)


@torch.library.custom_op("recurra::layer_backward", mutates_args=(), device_types="cpu")
def layer_backward(
    given: list[Tensor | None],
    x: Tensor,
    state: list[Tensor],
    weights: list[Tensor],
    lengths: Tensor | None,
    masks: list[Tensor],
    how: list[int],
    numbers: list[float],
) -> list[Tensor]:
    """The gradients of x, of each part of the state and of each weight that is there; runs the layer again first."""
    _refuse_forward_mode()
    recipe, batch = _recipe(how, numbers, masks), _batch(x, lengths, bool(how[3]))
    flat = _flat(recipe, weights, how)
    y, _, tapes = _cpu_layer.forward(recipe, batch, x, tuple(state), flat, True)
    needed = (False, False, *(True,) * (1 + len(state) + len(flat)))
    context = SimpleNamespace(recipe=recipe, batch=batch, tapes=tapes, needs_input_grad=needed)
    found = _cpu_layer.backward(context, x, y, [*state, *flat], tuple(given[: 1 + len(state)]))
    return [part for part in found if part is not None]


@layer_backward.register_fake
def _(
    given: list[Tensor | None],
    x: Tensor,
    state: list[Tensor],
    weights: list[Tensor],
    lengths: Tensor | None,
    masks: list[Tensor],
    how: list[int],
    numbers: list[float],
) -> list[Tensor]:
    parts = [x, *state, *weights]
    return [torch.empty(part.shape, dtype=x.dtype, device=x.device) for part in parts]


def _setup(ctx: Any, inputs: Any, output: Any) -> None:
    x, state, weights, lengths, masks, ctx.how, ctx.numbers = inputs
    ctx.states, ctx.masks = len(state), len(masks)
    ctx.save_for_backward(x, lengths, *masks, *state, *weights)


def _formula(ctx: Any, *given: Tensor | None) -> Any:
    x, lengths, *saved = ctx.saved_tensors
    masks, parts = saved[: ctx.masks], saved[ctx.masks :]
    state, weights = parts[: ctx.states], parts[ctx.states :]
    wanted = [part if part is None else part.contiguous() for part in given]
    found = layer_backward(wanted, x, state, weights, lengths, masks, ctx.how, ctx.numbers)
    return (
        found[0],
        list(found[1 : 1 + ctx.states]),
        list(found[1 + ctx.states :]),
        None,
        [None] * ctx.masks,
        None,
        None,
    )


layer.register_autograd(_formula, setup_context=_setup)
