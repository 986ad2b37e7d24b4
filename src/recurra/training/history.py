"""What happened in a training run: one record an epoch, and why it ended."""

from dataclasses import asdict, dataclass, field
from typing import Literal

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

    def to_dict(self) -> dict[str, object]:
        """The history as plain values for JSON."""
        return asdict(self)
