"""Time runs here, and nowhere else: one loop over the steps, one over layers and directions."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch.nn.functional import dropout, linear

from recurra.kernels._call import Call, Result, State, Weights
from recurra.kernels._ragged import lengths_of, pack, unpack, valid_steps
from recurra.kernels._terms import zoned_out
from recurra.shapes import Bool, Float, Tensor

Parts: TypeAlias = dict[str, Tensor]
"""What a step computes, by name; the parts called as in `STATE_NAMES` are the state after it."""

STATE_NAMES = ("h", "c")
"""What a state is made of, as many of them as it has parts."""

Step: TypeAlias = Callable[[Tensor, State, Weights, Tensor], Parts]
"""One time step: what the input adds, the state before, the weights, h as it enters the recurrent product -> parts."""

Functions: TypeAlias = tuple[Callable[[Tensor], Tensor], ...]
"""The activations of a step, in the order of `recurra.kernels._options.USUAL`."""

Keep: TypeAlias = tuple[Tensor | float | None, ...]
"""The share of the old value that each step keeps: of h [T, B, P] and of c [T, B, H], or one for all steps, or None."""


def add_input(x: Tensor, w: Weights) -> Tensor:
    """What the input adds to every gate, for all steps at once: x W + b_ih."""
    return linear(x, w.w_ih, w.b_ih)


class Equations(NamedTuple):
    """A recurrence as equations.

    Attributes:
        step: one time step.
        project: what the input adds, for all steps at once.
    """

    step: Step
    project: Callable[[Tensor, Weights], Tensor] = add_input


def scan(
    step: Callable[[Tensor, State], State],
    inputs: Float[Tensor, "time batch gates"],
    state: State,
    valid: Bool[Tensor, "time batch 1"] | None = None,
    reverse: bool = False,
    keep: Keep | None = None,
) -> Result:
    """Run one layer over time in one direction.

    A step that is not valid leaves a row's state as it is and gives zeros, so each row ends in the state of
    its own last valid step, and in reverse begins there.

    Args:
        step: (inputs of one step, state) -> state; the first part of a state is the output.
        inputs: what the layer reads at every step.
        state: before the first step, parts of shape [B, ...].
        valid: where rows have observations; None if everywhere.
        reverse: whether to go from the last step to the first.
        keep: how much of its old state each step keeps (zoneout); None for nothing.

    Returns:
        The outputs of every step in the order of time, and the state after the last one taken.
    """
    outputs: list[Tensor] = []
    steps = inputs.shape[0]
    for t in reversed(range(steps)) if reverse else range(steps):
        after = step(inputs[t], state)
        if keep is not None:
            after = zoned_out([p[t] if isinstance(p, Tensor) else p for p in keep], state, after)
        y = after[0]
        if valid is not None:
            y = torch.where(valid[t], y, torch.zeros_like(y))
            after = tuple(torch.where(valid[t], new, old) for new, old in zip(after, state, strict=True))
        state = after
        outputs.append(y)
    if not outputs:
        return state[0].new_zeros((0, *state[0].shape)), state
    return torch.stack(outputs[::-1] if reverse else outputs), state


def run_stack(equations: Equations, call: Call) -> Result:
    """Run a stack of layers, one or both directions each, over a padded, ragged or packed batch.

    The product of the input with W_x is taken for all steps at once; the step adds what depends on the state.

    Returns:
        Outputs in the layout of the input, [.., D*P]; zero past a row's length. The last states, [L*D, B, ...].
    """
    y, valid = _as_padded(call)
    stack = call.stack
    finals: list[State] = []
    for layer in range(stack.num_layers):
        if layer and stack.dropout:
            y = dropout(y, stack.dropout, stack.training)
        halves = []
        for direction in range(stack.directions):
            k = layer * stack.directions + direction
            step, keep = _masked(equations.step, call, k)
            before = tuple(part[k] for part in call.state)
            reverse = (direction == 1) != call.options.reverse
            half, after = scan(step, equations.project(y, call.weights[k]), before, valid, reverse, keep)
            halves.append(half)
            finals.append(after)
        y = torch.cat(halves, -1) if len(halves) > 1 else halves[0]
    return _in_layout_of(call, y), tuple(torch.stack(part) for part in zip(*finals, strict=True))


def run_cell(equations: Equations, call: Call) -> State:
    """One time step of one layer."""
    step, _ = _masked(equations.step, call, 0)
    return step(equations.project(call.x, call.weights[0]), call.state)


def _masked(step: Step, call: Call, k: int) -> tuple[Callable[[Tensor, State], State], Keep | None]:
    """The step of layer and direction k with its weights and its recurrent dropout; and its zoneout."""
    masks, w, names = call.masks, call.weights[k], STATE_NAMES[: len(call.state)]
    h_in = None if masks is None or masks.h_in is None else masks.h_in[k]

    def run(a: Tensor, state: State) -> State:
        parts = step(a, state, w, state[0] if h_in is None else state[0] * h_in)
        return tuple(parts[name] for name in names)

    if masks is None or (masks.keep_h is None and masks.keep_c is None):
        return run, None
    return run, tuple(p[k] if isinstance(p, Tensor) else p for p in (masks.keep_h, masks.keep_c))


def _as_padded(call: Call) -> tuple[Tensor, Tensor | None]:
    """The input as [T, B, I], zero where it is padding, and where it is valid."""
    if call.batch_sizes is not None:
        lengths = lengths_of(call.batch_sizes).to(call.x.device)
        return unpack(call.x, call.batch_sizes), valid_steps(lengths, call.steps)
    x = call.x.transpose(0, 1) if call.stack.batch_first else call.x
    if call.lengths is None:
        return x, None
    valid = valid_steps(call.lengths, call.steps)
    return torch.where(valid, x, torch.zeros_like(x)), valid


def _in_layout_of(call: Call, y: Float[Tensor, "time batch output"]) -> Tensor:
    if call.batch_sizes is not None:
        return pack(y, call.batch_sizes)
    return y.transpose(0, 1) if call.stack.batch_first else y
