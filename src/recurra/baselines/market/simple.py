"""The simplest rules for tomorrow's variance: the same as ever, the same as today, an average that forgets."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from recurra.baselines.market.rule import Array, VarianceRule
from recurra.data.market import Asset, har_terms


class RandomWalk(VarianceRule):
    """The price is a random walk with steps of one size and no drift: the mean variance so far, and a return of 0."""

    name = "random walk"
    drift: ClassVar[bool] = False
    unit: ClassVar[Literal["realised", "return"]] = "realised"

    def learn(self, asset: Asset) -> None:
        """The mean of the known variances."""
        self.level = float(np.nanmean(asset.variance))

    def signal(self, asset: Asset, days: int) -> Array:
        """The same at every row."""
        del days
        return np.full(len(asset), self.level)


class Yesterday(VarianceRule):
    """Tomorrow varies as today did; a masked day counts as the mean of its month."""

    name = "the day's own"
    unit: ClassVar[Literal["realised", "return"]] = "realised"

    def learn(self, asset: Asset) -> None:
        """There is nothing to learn."""

    def signal(self, asset: Asset, days: int) -> Array:
        """The variance of the row itself."""
        del days
        return har_terms(asset.variance)[:, 0]


class Ewma(VarianceRule):
    """h[t + 1] = λ h[t] + (1 - λ) r[t]², with λ = 0.94. Source: RiskMetrics Technical Document 1996, section 5.3."""

    name = "EWMA"
    unit: ClassVar[Literal["realised", "return"]] = "return"

    def __init__(self, horizons: Sequence[int] = (1,), decay: float = 0.94) -> None:
        super().__init__(horizons)
        self.decay = decay

    def learn(self, asset: Asset) -> None:
        """The level to begin from: the mean of the first month's squared returns."""
        self.first = float(np.nanmean(asset.returns[:22] ** 2))

    def signal(self, asset: Asset, days: int) -> Array:
        """The average up to each row; a masked return changes nothing."""
        del days
        h, found = self.first, np.empty(len(asset))
        for t, square in enumerate(asset.returns**2):
            h = h if np.isnan(square) else self.decay * h + (1.0 - self.decay) * square
            found[t] = h
        return found
