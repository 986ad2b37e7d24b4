"""How a backtest rolls: from which rows the forecaster learns, how often, and whether its folds may overlap."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError

Ints = npt.NDArray[np.int64]
Window = Literal["expanding", "sliding"]
Overlap = Literal["refuse", "declare"]


@dataclass(frozen=True)
class Rolling:
    """The protocol of a rolling-origin backtest.

    Args:
        horizon: steps ahead.
        stride: rows between origins.
        refit: learn anew at every so many origins; 0 learns once, before the first.
        window: "expanding" hands over all rows before an origin; "sliding" as many as the first origin has.
        overlap: what a stride below the horizon means, by which rows are scored more than once: "refuse" it, or
            "declare" it in the report.

    Raises:
        ConfigError: if a choice is unknown, folds overlap undeclared, or nothing could slide.
    """

    horizon: int
    stride: int
    refit: int = 0
    window: Window = "expanding"
    overlap: Overlap = "refuse"

    def __post_init__(self) -> None:
        for name, choices in (("window", get_args(Window)), ("overlap", get_args(Overlap))):
            if getattr(self, name) not in choices:
                raise ConfigError(f"{name}={getattr(self, name)!r} is unknown; use {' or '.join(map(repr, choices))}")
        if self.refit < 0:
            raise ConfigError(f"refit={self.refit} must be 0 or more: learn anew at every so many origins")
        if self.window == "sliding" and not self.refit:
            raise ConfigError("window='sliding' learns anew from a window that moves: give refit=1, or more")
        if self.overlaps and self.overlap == "refuse":
            raise ConfigError(
                f"stride={self.stride} is shorter than horizon={self.horizon}, so that folds overlap and rows are "
                f"scored up to {self.times_scored} times; use stride={self.horizon}, or say overlap='declare'"
            )

    @property
    def overlaps(self) -> bool:
        """Whether some rows are scored in several folds."""
        return 0 < self.stride < self.horizon

    @property
    def times_scored(self) -> int:
        """In how many folds a row is scored at most."""
        return -(-self.horizon // max(self.stride, 1))

    def learns_at(self, fold: int) -> bool:
        """Whether the forecaster learns anew at this fold, the first one aside."""
        return self.refit > 0 and fold % self.refit == 0

    def starts(self, ends: Ints, first: Ints) -> Ints:
        """The first row of each series that is handed over, [N].

        Args:
            ends: rows of each series before the origin.
            first: the same at the first origin that each series takes part in.
        """
        if self.window == "expanding":
            return np.zeros_like(ends)
        starts: Ints = np.maximum(ends - first, 0)
        return starts
