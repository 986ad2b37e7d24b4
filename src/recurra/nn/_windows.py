"""A long sequence with its targets and lengths, read once and handed out a window at a time."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from recurra.errors import ConfigError, DtypeError, ShapeError
from recurra.kernels import as_lengths
from recurra.nn._reading import Lengths, lengths_as_tensor
from recurra.nn._recurrent import Recurrent


@dataclass(frozen=True)
class Piece:
    """Some steps of a sequence: x, target and valid [w, B, ...] or [B, w, ...], lengths [B] or None."""

    x: Tensor
    target: Tensor
    valid: Tensor
    lengths: Tensor | None


@dataclass(frozen=True)
class Sequence:
    """A whole sequence with rows; `time` is the dimension of its steps, `end` where the longest row ends."""

    x: Tensor
    target: Tensor
    lengths: Tensor | None
    batched: bool
    time: int
    end: int

    def piece(self, begin: int, stop: int) -> Piece:
        """The steps from begin to before stop."""
        x, target = (part.narrow(self.time, begin, stop - begin) for part in (self.x, self.target))
        if self.lengths is None:
            return Piece(x, target, torch.ones(x.shape[:2], dtype=torch.bool, device=x.device), None)
        left = (self.lengths - begin).clamp(0, stop - begin)
        steps = torch.arange(stop - begin, device=x.device)
        valid = steps < left[:, None] if self.time == 1 else steps[:, None] < left
        return Piece(x, target, valid, left)

    def joined(self, outputs: list[Tensor]) -> Tensor:
        """The outputs of all windows, and zeros for the steps after the last of them."""
        steps = self.x.shape[self.time]
        missing = steps - sum(output.shape[self.time] for output in outputs)
        if missing:
            shape = list(outputs[0].shape)
            shape[self.time] = missing
            outputs = [*outputs, outputs[0].new_zeros(shape)]
        whole = torch.cat(outputs, self.time)
        return whole if self.batched else whole.squeeze(1 - self.time)


def read_sequence(layer: Recurrent, x: Tensor, target: Tensor, lengths: Lengths | None, with_rows: bool) -> Sequence:
    """Bring input, targets and lengths into one form, or refuse them.

    Args:
        layer: whose layout they have.
        x: as the layer takes it, or with_rows anything of [T, B, ...] or [B, T, ...].
        target: one for each step.
        lengths: of the rows, or None.
        with_rows: whether there is a dimension for rows in any case.

    Raises:
        ShapeError: if target or lengths do not fit x.
        DtypeError: for a PackedSequence or what is no tensor.
        ConfigError: if x has a graph.
    """
    name = type(layer).__name__
    if isinstance(x, PackedSequence):
        raise DtypeError(f"{name}: a PackedSequence is not cut into windows; hand in the padded batch and lengths=")
    for what, part in (("input", x), ("target", target)):
        if not isinstance(part, Tensor):
            raise DtypeError(f"{name}: {what} should be a tensor, got: {type(part).__name__}")
    if x.grad_fn is not None:
        raise ConfigError(
            "the input was computed from something that takes gradients, and each window sends one back; "
            "hand in what it was computed from, and the computation as embed="
        )
    rows = 0 if layer.batch_first else 1
    batched = with_rows or x.dim() == 3
    if x.dim() < 2:
        raise ShapeError(f"{name}: expected input with steps and rows or features, got {x.dim()}D")
    if target.shape[: 1 + batched] != x.shape[: 1 + batched]:
        raise ShapeError(f"expected a target for each step, got {list(target.shape)} for {list(x.shape)}")
    if not batched:
        x, target = x.unsqueeze(rows), target.unsqueeze(rows)
    read = lengths_as_tensor(lengths, batched)
    steps = x.shape[1 - rows]
    if read is not None:
        read = as_lengths(read, x.shape[rows], steps, x.device)
    longest = steps if read is None or not len(read) else int(read.max())
    end = longest if x.shape[rows] else 0
    return Sequence(x, target, read, batched, 1 - rows, end)
