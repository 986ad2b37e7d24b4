"""Any cell run over time, and two layers or loops run over time in both directions."""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import Module, RNNBase, RNNCellBase

from recurra.errors import ConfigError, DtypeError, ShapeError
from recurra.kernels import as_lengths, reversed_rows
from recurra.nn._cell import RecurrentCell
from recurra.nn._construction import check_flag
from recurra.nn._reading import Lengths, lengths_as_tensor
from recurra.nn._recurrent import Recurrent

CellState: TypeAlias = Any
"""A tensor [B, ...], or a tuple of such states."""


class Loop(Module):
    """Runs any cell over time.

    y(t), s(t) = cell(x(t), s(t-1)) for t = 1, 2, ..., or with `reverse` from each row's last valid step to its first.

    A row that has ended keeps its state, gives zeros, and what its padding holds is not seen.

    Args:
        cell: a module called as cell(x_t, state) with x_t [B, ...], and with None for the state where none is known.
            It gives its new state: a tensor, which is the output too, or a tuple whose first part is the output: what
            `RNNCell`, `GRUCell` and `LSTMCell`, ours and torch.nn's, do.
        batch_first: whether input and output are [B, T, ...] rather than [T, B, ...].
        reverse: whether it goes from the last step to the first.
        separate_output: whether the cell gives a pair instead, (output, new state).

    Raises:
        DtypeError: (a TypeError) if the cell cannot be called, or a flag is not a bool.
        ConfigError: (a ValueError) if it is a layer.

    Source: the composition of a cell and a loop is that of flax.nnx.RNN and keras.layers.RNN.

    >>> from recurra.nn import GRUCell
    >>> loop = Loop(GRUCell(3, 5), batch_first=True)
    >>> y, state = loop(torch.zeros(2, 4, 3), lengths=[4, 1])
    >>> y.shape, state.shape
    (torch.Size([2, 4, 5]), torch.Size([2, 5]))
    """

    def __init__(
        self,
        cell: Callable[..., Any],
        *,
        batch_first: bool = False,
        reverse: bool = False,
        separate_output: bool = False,
    ) -> None:
        super().__init__()
        if not callable(cell):
            raise DtypeError(f"cell should be a module or another callable, got: {type(cell).__name__}")
        if isinstance(cell, Recurrent | RNNBase | Loop | Bidirectional):
            raise ConfigError(f"{type(cell).__name__} runs over time by itself; a Loop takes a cell, such as GRUCell")
        self.cell = cell
        self.batch_first = check_flag("batch_first", batch_first)
        self.reverse = check_flag("reverse", reverse)
        self.separate_output = check_flag("separate_output", separate_output)

    def extra_repr(self) -> str:
        """The flags that are set."""
        return ", ".join(
            f"{name}=True" for name in ("batch_first", "reverse", "separate_output") if getattr(self, name)
        )

    def forward(
        self, input: Tensor, state: CellState | None = None, *, lengths: Lengths | None = None
    ) -> tuple[Tensor, CellState]:
        """Run the cell over a sequence.

        Args:
            input: [T, B, ...], or [B, T, ...] if batch_first.
            state: before the first step, as the cell takes it, rows first. None leaves it to the cell; a row of length
                0 then ends in zeros, or in what the cell's `first_state` gives.
            lengths: [B], valid steps of each row, in any order, 0 allowed; None if all are valid.

        Returns:
            The outputs of every step in the layout of the input, zero past a row's length; and the state after each
            row's last valid step (in reverse its first), as the cell gives it.

        Raises:
            ShapeError: if there are no steps and no rows, lengths do not fit, or a cell's output has no rows.
            DtypeError: if the input is no tensor.
        """
        x, valid = _time_first(self, input, lengths)
        if state is None and hasattr(self.cell, "first_state"):
            state = _as_cell_gives_it(self.cell.first_state(x[0] if len(x) else x.new_zeros(x.shape[1:])))
        outputs: list[Tensor] = []
        for t in reversed(range(len(x))) if self.reverse else range(len(x)):
            y, after = self.step(x[t], state)
            if valid is not None:
                y, after = _chosen(valid[t], y, None), _chosen(valid[t], after, state)
            outputs.append(y)
            state = after
        if not outputs:
            raise ShapeError(f"{type(self).__name__}: the input has no steps, so the size of an output is not known")
        y = torch.stack(outputs[::-1] if self.reverse else outputs)
        return y.transpose(0, 1) if self.batch_first else y, state

    def step(self, x_t: Tensor, state: CellState | None = None) -> tuple[Tensor, CellState]:
        """Take one observation: the output, and the state to hand to the next step."""
        found = self.cell(x_t, state)
        if self.separate_output:
            y, after = found
            return y, after
        return found if isinstance(found, Tensor) else found[0], found


class Bidirectional(Module):
    """Two layers or loops over the same sequence, one from each end.

    y(t) = [forward(x)(t) backward(x)(t)]; the backward one begins at each row's own last valid step.

    Unlike the `bidirectional` of a layer the two may differ, in size, kind or options.

    Args:
        forward: a layer or `Loop`, or any module called as module(input, state, lengths=lengths) that gives (output,
            state).
        backward: likewise; with `reverse=True` it goes from the last step to the first by itself, otherwise it is
            handed every row back to front.
        merge: puts two outputs together; None sets them side by side.

    Raises:
        ConfigError: (a ValueError) if the forward one runs in reverse, one is bidirectional or a cell, or their layouts
            differ.
        DtypeError: (a TypeError) if one of them, or merge, cannot be called.

    Source: Schuster & Paliwal 1997; the composition is that of flax.nnx.Bidirectional and keras.layers.Bidirectional.

    >>> from recurra.nn import GRU, LSTM
    >>> both = Bidirectional(GRU(3, 5), LSTM(3, 4, peephole=True))
    >>> both(torch.zeros(6, 2, 3), lengths=[6, 1])[0].shape
    torch.Size([6, 2, 9])
    """

    def __init__(
        self, forward: Module, backward: Module, *, merge: Callable[[Tensor, Tensor], Tensor] | None = None
    ) -> None:
        super().__init__()
        if getattr(forward, "reverse", False):
            raise ConfigError("the forward layer runs in reverse: build it with reverse=False, or exchange the two")
        for module in (forward, backward):
            self._check_part(module)
        if merge is not None and not callable(merge):
            raise DtypeError(f"merge should be a function of two tensors, got: {merge!r}")
        self.batch_first = bool(getattr(forward, "batch_first", False))
        if self.batch_first != bool(getattr(backward, "batch_first", False)):
            raise ConfigError("one of the two is batch_first and the other is not")
        self.forward_layer = forward
        self.backward_layer = backward
        self.merge = merge

    def _check_part(self, module: object) -> None:
        name = type(module).__name__
        if not callable(module):
            raise DtypeError(f"Bidirectional takes two layers or loops, got: {name}")
        if isinstance(module, RecurrentCell | RNNCellBase):
            raise ConfigError(f"{name} takes one step: hand in Loop({name}(...)), which runs it over time")
        if isinstance(module, Bidirectional) or getattr(module, "bidirectional", False):
            raise ConfigError(f"{name} is bidirectional already: hand in one direction, bidirectional=False")

    def forward(
        self, input: Tensor, state: tuple[Any, Any] | None = None, *, lengths: Lengths | None = None
    ) -> tuple[Tensor, tuple[Any, Any]]:
        """Run both over a sequence.

        Args:
            input: [T, B, ...], or [B, T, ...] if batch_first.
            state: of the forward and of the backward one before its first step; each may be None.
            lengths: [B], valid steps of each row; None if all are valid.

        Returns:
            The outputs side by side, zero past a row's length; and both states after the last step each has taken.

        Raises:
            ShapeError, DtypeError, BackendUnavailable: as the two.
        """
        first, second = (None, None) if state is None else state
        ahead, after = self.forward_layer(input, first, lengths=lengths)
        x, count = input, None
        if not getattr(self.backward_layer, "reverse", False):
            count = _lengths_of(self, input, lengths)
            x = _reversed(x, count, self.batch_first)
        back, before = self.backward_layer(x, second, lengths=lengths)
        if not getattr(self.backward_layer, "reverse", False):
            back = _reversed(back, count, self.batch_first)
        y = torch.cat([ahead, back], -1) if self.merge is None else self.merge(ahead, back)
        return y, (after, before)


def _as_cell_gives_it(state: Any) -> CellState:
    return state[0] if isinstance(state, tuple) and len(state) == 1 else state


def _lengths_of(module: Loop | Bidirectional, input: Tensor, lengths: Lengths | None) -> Tensor | None:
    """Lengths [B] of an input with steps and rows, or None."""
    name = type(module).__name__
    if not isinstance(input, Tensor):
        raise DtypeError(f"{name}: input should be a tensor (padded, with lengths=), got: {type(input).__name__}")
    if input.dim() < 2:
        raise ShapeError(f"{name}: expected input with steps and rows, got {input.dim()}D")
    read = lengths_as_tensor(lengths, True)
    rows, steps = input.shape[:2] if module.batch_first else (input.shape[1], input.shape[0])
    return None if read is None else as_lengths(read, rows, steps, input.device)


def _time_first(loop: Loop, input: Tensor, lengths: Lengths | None) -> tuple[Tensor, Tensor | None]:
    """[T, B, ...] with zeros in the padding, and where it is valid [T, B]."""
    count = _lengths_of(loop, input, lengths)
    x = input.transpose(0, 1) if loop.batch_first else input
    if count is None:
        return x, None
    valid = torch.arange(x.shape[0], device=x.device)[:, None] < count
    return torch.where(_beside(valid, x), x, torch.zeros_like(x)), valid


def _beside(valid: Tensor, x: Tensor) -> Tensor:
    """A mask over the leading dimensions of x, ready to be broadcast."""
    return valid.reshape(*valid.shape, *(1 for _ in x.shape[valid.dim() :]))


def _chosen(valid: Tensor, new: Any, old: Any) -> Any:
    """The new state of rows that have a step, the old one (zeros for None) of the others."""
    if isinstance(new, Tensor):
        if new.shape[:1] != valid.shape:
            raise ShapeError(f"a cell should give rows first, {len(valid)} of them, got {list(new.shape)}")
        return torch.where(_beside(valid, new), new, torch.zeros_like(new) if old is None else old)
    before = old if old is not None else (None,) * len(new)
    return type(new)(_chosen(valid, part, kept) for part, kept in zip(new, before, strict=True))


def _reversed(x: Tensor, lengths: Tensor | None, batch_first: bool) -> Tensor:
    return reversed_rows(x.transpose(0, 1), lengths).transpose(0, 1) if batch_first else reversed_rows(x, lengths)
