"""Time runs here, and nowhere else: one loop over the steps, one over layers and directions."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch.nn.functional import dropout, linear

from recurra.kernels._call import Call, Result, State, Weights
from recurra.kernels._options import Masks
from recurra.kernels._ragged import lengths_of, pack, unpack, valid_steps
from recurra.shapes import Bool, Float, Tensor

Step: TypeAlias = Callable[[Tensor, State, Weights, Tensor], State]
"""One time step: (what the input adds, the state before, the weights, h as it enters the recurrent product) -> the state
after; its first part is the output."""

Project: TypeAlias = Callable[[Tensor, Weights], Tensor]
"""What the input adds to every gate, for all steps at once: x W + b_ih."""


def project(x: Tensor, w: Weights) -> Tensor:
    """x W + b_ih."""
    return linear(x, w.w_ih, w.b_ih)


Functions: TypeAlias = tuple[Callable[[Tensor], Tensor], ...]
"""The activations of a step, in the order of `recurra.kernels._options.USUAL`."""


class Zoneout(NamedTuple):
    """The share of the old value that each step keeps, of each part of the state.

    Attributes:
        keep: [T, B, P] and [T, B, H] of h and c, or one share for all steps, or None.

    Source: Krueger et al. 2017: in training 0 or 1 at random, in evaluation the expectation.
    """

    keep: tuple[Tensor | float | None, ...]

    def __call__(self, t: int, old: State, new: State) -> State:
        """p old + (1 - p) new at step t."""
        mixed = []
        for keep, before, after in zip(self.keep, old, new, strict=False):
            p = keep[t] if isinstance(keep, Tensor) else keep
            mixed.append(after if p is None else p * before + (1 - p) * after)
        return tuple(mixed)


def scan(
    step: Callable[[Tensor, State], State],
    inputs: Float[Tensor, "time batch gates"],
    state: State,
    valid: Bool[Tensor, "time batch 1"] | None = None,
    reverse: bool = False,
    zoneout: Zoneout | None = None,
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
        zoneout: how much of its old state each step keeps; None for nothing.

    Returns:
        The outputs of every step in the order of time, and the state after the last one taken.
    """
    outputs: list[Tensor] = []
    steps = inputs.shape[0]
    for t in reversed(range(steps)) if reverse else range(steps):
        after = step(inputs[t], state)
        if zoneout is not None:
            after = zoneout(t, state, after)
        y = after[0]
        if valid is not None:
            y = torch.where(valid[t], y, torch.zeros_like(y))
            after = tuple(torch.where(valid[t], new, old) for new, old in zip(after, state, strict=True))
        state = after
        outputs.append(y)
    if not outputs:
        return state[0].new_zeros((0, *state[0].shape)), state
    return torch.stack(outputs[::-1] if reverse else outputs), state


def run_stack(step: Step, call: Call, project: Project = project) -> Result:
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
            inner, zoneout = _masked(step, call.weights[k], call.masks, k)
            before = tuple(part[k] for part in call.state)
            reverse = (direction == 1) != call.options.reverse
            half, after = scan(inner, project(y, call.weights[k]), before, valid, reverse, zoneout)
            halves.append(half)
            finals.append(after)
        y = torch.cat(halves, -1) if len(halves) > 1 else halves[0]
    return _in_layout_of(call, y), tuple(torch.stack(part) for part in zip(*finals, strict=True))


def run_cell(step: Step, call: Call, project: Project = project) -> State:
    """One time step of one layer."""
    w = call.weights[0]
    return step(project(call.x, w), call.state, w, call.state[0])


def _masked(
    step: Step, w: Weights, masks: Masks | None, k: int
) -> tuple[Callable[[Tensor, State], State], Zoneout | None]:
    """The step of layer and direction k with its recurrent dropout, and its zoneout."""
    if masks is None:
        return lambda a, s: step(a, s, w, s[0]), None
    keep = (masks.keep_h, masks.keep_c)
    shares = tuple(part[k] if isinstance(part, Tensor) else part for part in keep)
    zoneout = None if all(part is None for part in shares) else Zoneout(shares)
    if masks.h_in is None:
        return lambda a, s: step(a, s, w, s[0]), zoneout
    h_in = masks.h_in[k]
    return lambda a, s: step(a, s, w, s[0] * h_in), zoneout


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
