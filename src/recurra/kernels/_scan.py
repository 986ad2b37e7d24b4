"""Time runs here, and nowhere else: one loop over the steps, one over layers and directions."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch.nn.functional import dropout, linear

from recurra.kernels._call import Call, Result, State, Weights
from recurra.kernels._ragged import lengths_of, pack, unpack, valid_steps
from recurra.shapes import Bool, Float, Tensor

Step: TypeAlias = Callable[[Tensor, State, Weights], State]
"""One time step: (X(t) W_x + b_ih, the state before, the weights) -> the state after; its first part is the output."""


def scan(
    step: Callable[[Tensor, State], State],
    inputs: Float[Tensor, "time batch gates"],
    state: State,
    valid: Bool[Tensor, "time batch 1"] | None = None,
    reverse: bool = False,
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

    Returns:
        The outputs of every step in the order of time, and the state after the last one taken.
    """
    outputs: list[Tensor] = []
    steps = inputs.shape[0]
    for t in reversed(range(steps)) if reverse else range(steps):
        after = step(inputs[t], state)
        y = after[0]
        if valid is not None:
            y = torch.where(valid[t], y, torch.zeros_like(y))
            after = tuple(torch.where(valid[t], new, old) for new, old in zip(after, state, strict=True))
        state = after
        outputs.append(y)
    if not outputs:
        return state[0].new_zeros((0, *state[0].shape)), state
    return torch.stack(outputs[::-1] if reverse else outputs), state


def run_stack(step: Step, call: Call) -> Result:
    """Run a stack of layers, one or both directions each, over a padded, ragged or packed batch.

    The product of the input with W_x is taken for all steps at once; `step` adds what depends on the state.

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
            w = call.weights[k]
            before = tuple(part[k] for part in call.state)
            half, after = scan(
                lambda a, s, w=w: step(a, s, w),  # type: ignore[misc]
                linear(y, w.w_ih, w.b_ih),
                before,
                valid,
                reverse=direction == 1,
            )
            halves.append(half)
            finals.append(after)
        y = torch.cat(halves, -1) if len(halves) > 1 else halves[0]
    return _in_layout_of(call, y), tuple(torch.stack(part) for part in zip(*finals, strict=True))


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
