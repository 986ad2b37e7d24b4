"""What happened in a training run: one record an epoch, and why it ended."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Ending = Literal["finished", "no longer improving", "out of time", "interrupted", "loss not finite"]


@dataclass(frozen=True)
class EpochRecord:
    """One epoch.

    Args:
        epoch: its number, from 1.
        training_loss: mean loss over its batches.
        validation_loss: loss on the validation part after it.
        learning_rate: step size at its end.
        seconds: wall-clock time since the run began.
    """

    epoch: int
    training_loss: float
    validation_loss: float
    learning_rate: float
    seconds: float


@dataclass
class History:
    """All epochs of a run, the best one, and why the run ended."""

    epochs: list[EpochRecord] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float = float("inf")
    ending: Ending = "finished"

    @property
    def seconds(self) -> float:
        """Wall-clock time of the run."""
        return self.epochs[-1].seconds if self.epochs else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The history as plain values for JSON; a loss that is not finite becomes None."""
        values = asdict(self)
        for record in (values, *values["epochs"]):
            for name, value in record.items():
                if isinstance(value, float) and not math.isfinite(value):
                    record[name] = None
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "History":
        """The history that `to_dict` described; None becomes an infinite loss."""
        epochs = [EpochRecord(**{name: _loss(value) for name, value in record.items()}) for record in values["epochs"]]
        return cls(epochs, values["best_epoch"], _loss(values["best_loss"]), values["ending"])


def _loss(value: Any) -> Any:
    return math.inf if value is None else value
