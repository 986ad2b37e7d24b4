"""What a training run may be told, whatever it trains."""

from dataclasses import dataclass
from typing import Literal

from recurra.errors import ConfigError


@dataclass(frozen=True)
class TrainingOptions:
    """Settings of the one training loop.

    Args:
        max_epochs: passes over the data at most.
        max_seconds: wall-clock limit; the schedule decays towards it. None for no limit.
        learning_rate: AdamW's step size after the warm-up.
        weight_decay: AdamW's decoupled decay, applied to matrices only.
        gradient_clip: largest norm of the whole gradient; None to leave it alone.
        patience: epochs without a better validation loss before the run stops.
        warmup: share of the run over which the step size rises from zero.
        final_rate: share of `learning_rate` that is left at the end of the cosine decay.
        average: the mean of the weights of so many epochs, those with the lowest validation loss, is kept.
        keep: "best" keeps the weights with the lowest validation loss and stops when there is no better one for
            `patience` epochs; "last" trains to the end and keeps the last weights, for runs without a validation part.
        offer_start: whether the starting weights are validated too, as those of epoch 0: they mean something already.
    """

    max_epochs: int = 100
    max_seconds: float | None = None
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    gradient_clip: float | None = 1.0
    patience: int = 20
    warmup: float = 0.05
    final_rate: float = 0.01
    average: int = 1
    keep: Literal["best", "last"] = "best"
    offer_start: bool = False

    def __post_init__(self) -> None:
        for name in ("max_epochs", "patience", "learning_rate", "average"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("max_seconds", "gradient_clip"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"{name} must be above 0 or None, not {value}")
        if not self.weight_decay >= 0:
            raise ConfigError(f"weight_decay must be 0 or more, not {self.weight_decay}")
