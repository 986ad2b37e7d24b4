"""A recurrent stack over features: one class for the sequence, or a unit for every step (CTC)."""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from recurra.models.acoustic.front_end import FrontEnd, inside
from recurra.models.forecast.layers import CELLS, State
from recurra.shapes import Float, Lengths, Tensor


@dataclass(frozen=True)
class AcousticShape:
    """The sizes of an acoustic network; enough to build it again.

    Args:
        n_inputs: features of a frame.
        n_outputs: classes, or units with the blank.
        cell: "rnn", "lstm" or "gru".
        hidden_size: neurons of each layer and direction.
        num_layers: recurrent layers.
        bidirectional: whether layers read in both directions.
        channels: features of each convolution of the front end.
        strides: of each convolution; empty for no front end.
        width: steps that a convolution reads; odd.
        dropout: before, between and after the recurrent layers.
        pooling: how a classifier sums up the steps: "mean", "max", "mean_max" or "last".
    """

    n_inputs: int
    n_outputs: int
    cell: str = "gru"
    hidden_size: int = 96
    num_layers: int = 2
    bidirectional: bool = True
    channels: int = 64
    strides: tuple[int, ...] = (2,)
    width: int = 5
    dropout: float = 0.2
    pooling: str = "mean_max"


class _Acoustic(nn.Module):
    """Front end and recurrent stack."""

    def __init__(self, shape: AcousticShape, backend: str = "auto") -> None:
        super().__init__()
        self.shape = shape
        self.front_end = FrontEnd(shape.n_inputs, shape.channels, shape.strides, shape.width, shape.dropout)
        self.recurrent = CELLS[shape.cell](
            self.front_end.n_out,
            shape.hidden_size,
            shape.num_layers,
            batch_first=True,
            dropout=shape.dropout if shape.num_layers > 1 else 0.0,
            bidirectional=shape.bidirectional,
            initialization="keras",
            backend=backend,
        )
        self.dropout = nn.Dropout(shape.dropout)

    @property
    def width(self) -> int:
        """Features that the recurrent stack gives at a step."""
        return self.shape.hidden_size * (2 if self.shape.bidirectional else 1)

    def outputs(
        self, x: Float[Tensor, "batch time features"], lengths: Lengths
    ) -> tuple[Float[Tensor, "batch steps hidden"], Lengths]:
        """What the recurrent stack gives at every step, and the lengths in steps."""
        x, lengths = self.front_end(x, lengths)
        y, _ = self.recurrent(x, None, lengths=lengths)
        return self.dropout(y), lengths


class ClassifierNetwork(_Acoustic):
    """y(t) = recurrent(front end(x)); class scores = W pool(y) + b over the steps that are the row's own.

    Args:
        shape: the sizes.
        backend: passed on to the recurrent layers.
    """

    def __init__(self, shape: AcousticShape, backend: str = "auto") -> None:
        super().__init__(shape, backend)
        self.head = nn.Linear(self.width * (2 if shape.pooling == "mean_max" else 1), shape.n_outputs)

    def forward(self, x: Float[Tensor, "batch time features"], lengths: Lengths) -> Float[Tensor, "batch classes"]:
        """Class scores (logits)."""
        y, lengths = self.outputs(x, lengths)
        scores: Tensor = self.head(pool(y, lengths, self.shape.pooling, self.shape.bidirectional))
        return scores


def pool(
    y: Float[Tensor, "batch steps hidden"], lengths: Lengths, how: str, bidirectional: bool
) -> Float[Tensor, "batch pooled"]:
    """One vector for each row from its own steps.

    Args:
        y: outputs of the steps.
        lengths: [batch], at least 1.
        how: "mean", "max", both side by side ("mean_max"), or "last": the output after the last step, of the reverse
            direction that after the first.
        bidirectional: whether the second half of the features is the reverse direction's.
    """
    if how == "last":
        last = y[torch.arange(len(y)), lengths - 1]
        half = y.shape[2] // 2
        return torch.cat([last[:, :half], y[:, 0, half:]], 1) if bidirectional else last
    own = inside(lengths, y.shape[1])
    mean = (y * own).sum(1) / lengths[:, None].to(y.dtype)
    if how == "mean":
        return mean
    highest = y.masked_fill(~own, -torch.inf).amax(1)
    return highest if how == "max" else torch.cat([mean, highest], 1)


class CtcNetwork(_Acoustic):
    """y(t) = recurrent(front end(x)); log P(unit | t) = log softmax(W y(t) + b); unit 0 is the blank.

    Args:
        shape: the sizes.
        backend: passed on to the recurrent layers.
    """

    def __init__(self, shape: AcousticShape, backend: str = "auto") -> None:
        super().__init__(shape, backend)
        self.head = nn.Linear(self.width, shape.n_outputs)

    def forward(
        self, x: Float[Tensor, "batch time features"], lengths: Lengths
    ) -> tuple[Float[Tensor, "batch steps units"], Lengths]:
        """Log probabilities of every step, and the lengths in steps."""
        y, lengths = self.outputs(x, lengths)
        return self.log_probabilities(y), lengths

    def log_probabilities(self, y: Float[Tensor, "*steps hidden"]) -> Float[Tensor, "*steps units"]:
        """Log probabilities of the units from the recurrent stack's outputs."""
        return self.head(y).log_softmax(-1)  # type: ignore[no-any-return]

    def advance(
        self, x: Float[Tensor, "steps channels"], state: State | None
    ) -> tuple[Float[Tensor, "steps units"], State]:
        """Steps of one row that come from the front end: their log probabilities, and the state after them."""
        y, after = self.recurrent(x[None], cast("Any", state))
        return self.log_probabilities(y[0]), after
