"""PyTorch's own fused calls over padded, ragged and packed batches: what the three "torch" backends share."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from recurra.kernels._call import Call, Result
from recurra.kernels._dispatch import inside_transform
from recurra.kernels._options import PLAIN
from recurra.kernels._ragged import reversed_packed, reversed_rows

Fused: TypeAlias = Callable[..., tuple[Tensor, ...]]
"""A function of `torch._VF`, called the padded or the packed way; gives (output, h) or (output, h, c)."""


def why_not_fused(call: Call, *known: str) -> str | None:
    """The reasons that hold for all three recurrences.

    Under a transform the fused calls raise or are untested, so the equations answer there.

    Args:
        call: the call.
        known: the names of options that the fused call has besides `reverse`, which is its call on reversed rows.
    """
    options = [name for name in call.used_options() if name not in (*known, "reverse")]
    if options:
        return f"PyTorch's fused call does not have {', '.join(options)}"
    if torch.compiler.is_compiling():
        return "torch.compile and torch.export cannot look into PyTorch's fused call"
    if inside_transform():
        return "a transform (vmap, jvp, torch.func.grad, ...) is active, and PyTorch's fused call has no rule for it"
    if call.steps == 0:
        return "PyTorch's fused call refuses a sequence without steps (T = 0)"
    return None


def run_fused(fused: Fused, call: Call) -> Result:
    """Run a stack by one fused call, packed if the batch is packed or its rows differ in length."""
    if call.options.reverse:
        output, after = run_fused(fused, replace(call, x=_reversed(call, call.x), options=PLAIN))
        return _reversed(call, output), after
    if call.batch_sizes is not None:
        return _packed(fused, call, call.x, call.batch_sizes, call.state)
    if call.lengths is None or bool((call.lengths == call.steps).all()):
        output, *state = fused(call.x, _hx(call.state), *_arguments(call), call.stack.batch_first)
        return output, tuple(state)
    return _ragged(fused, call, call.lengths)


def _reversed(call: Call, x: Tensor) -> Tensor:
    """Every row of the call's input or output back to front."""
    if call.batch_sizes is not None:
        return reversed_packed(x, call.batch_sizes)
    if not call.stack.batch_first:
        return reversed_rows(x, call.lengths)
    return reversed_rows(x.transpose(0, 1), call.lengths).transpose(0, 1)


def _ragged(fused: Fused, call: Call, lengths: Tensor) -> Result:
    """A padded batch of rows of unlike length; a row without steps gives zeros and its initial state.

    PyTorch cannot pack a row of length 0, so such a row runs one step over zeros, which is then put aside.
    """
    batch_first, x = call.stack.batch_first, call.x
    empty = lengths == 0
    some_empty = bool(empty.any())
    if some_empty:
        x = torch.where(empty[:, None, None] if batch_first else empty[None, :, None], torch.zeros_like(x), x)
    packed = pack_padded_sequence(x, lengths.clamp(min=1).cpu(), batch_first, enforce_sorted=False)
    order, back = packed.sorted_indices, packed.unsorted_indices
    assert order is not None
    assert back is not None
    data, after = _packed(
        fused, call, packed.data, packed.batch_sizes, tuple(part.index_select(1, order) for part in call.state)
    )
    output, _ = pad_packed_sequence(
        PackedSequence(data, packed.batch_sizes, order, back), batch_first, total_length=call.steps
    )
    state = tuple(part.index_select(1, back) for part in after)
    if some_empty:
        rows = empty[:, None, None] if batch_first else empty[None, :, None]
        output = torch.where(rows, torch.zeros_like(output), output)
        state = tuple(torch.where(empty[None, :, None], old, new) for old, new in zip(call.state, state, strict=True))
    return output, state


def _packed(fused: Fused, call: Call, data: Tensor, batch_sizes: Tensor, state: tuple[Tensor, ...]) -> Result:
    output, *after = fused(data, batch_sizes, _hx(state), *_arguments(call))
    return output, tuple(after)


def _hx(state: tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
    if state[0].is_cuda:  # cuDNN takes no other
        state = tuple(part.contiguous() for part in state)
    return state if len(state) > 1 else state[0]


def _arguments(call: Call) -> tuple[object, ...]:
    stack = call.stack
    flat = [part for w in call.weights for part in w if part is not None]
    has_biases = call.weights[0].b_ih is not None
    dropout, training = stack.dropout, stack.training
    if call.x.is_cuda and not training and torch.is_grad_enabled():  # cuDNN keeps what gradients need only in training
        dropout, training = 0.0, True
    return flat, has_biases, stack.num_layers, dropout, training, stack.bidirectional
