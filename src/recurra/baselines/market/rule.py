"""What every rule for the variance of returns has in common: fitted on the rows so far, in two units."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from recurra.data.market import Asset, return_ahead, variance_ahead
from recurra.errors import TooShortError

Array = npt.NDArray[np.float64]
Rule = TypeVar("Rule", bound="VarianceRule")

FEWEST = 60
"""Known days a rule is fitted on at least."""


class VarianceRule(ABC):
    """Forecasts the mean variance of the next days of one asset, at every row, from the rows up to it.

    A rule of realised variances measures what happens while the market is open, one of returns from close to close;
    each is brought to the other's unit by the ratio of the means on the rows it was fitted on.

    Args:
        horizons: days ahead that are asked for.

    Attributes:
        name: as it stands in a report.
        unit: what its signal measures.
        drift: whether the mean return so far is expected to go on; else 0 is.
    """

    name: str
    unit: ClassVar[Literal["realised", "return"]]
    drift: ClassVar[bool] = True

    def __init__(self, horizons: Sequence[int] = (1,)) -> None:
        self.horizons = tuple(horizons)
        self.mean_return = 0.0
        self.scales: dict[int, tuple[float, float]] = {}

    @abstractmethod
    def learn(self, asset: Asset) -> None:
        """Learn what the signal needs from these rows."""

    @abstractmethod
    def signal(self, asset: Asset, days: int) -> Array:
        """Mean daily variance expected over the next days, in the rule's own unit, at every row; [rows]."""

    def fit(self: Rule, asset: Asset) -> Rule:
        """Learn from these rows, and from no other.

        Raises:
            TooShortError: if fewer than 60 days are known.
        """
        known = int(np.sum(~np.isnan(asset.returns) & ~np.isnan(asset.variance)))
        if known < FEWEST:
            raise TooShortError(f"asset {asset.id!r} has {known} known days; the rules need at least {FEWEST}")
        self.mean_return = float(np.nanmean(asset.returns)) if self.drift else 0.0
        self.learn(asset)
        for days in self.horizons:
            signal = self.signal(asset, days)
            realised, squares = variance_ahead(asset.variance, days), return_ahead(asset.returns, days) ** 2 / days
            self.scales[days] = (
                1.0 if self.unit == "realised" else _ratio(realised, signal),
                _ratio(squares, signal),
            )
        return self

    def variance(self, asset: Asset, days: int) -> Array:
        """Mean daily variance expected over the next days, as the table measures it; at every row, [rows]."""
        return self.scales[days][0] * self.signal(asset, days)

    def return_variance(self, asset: Asset, days: int) -> Array:
        """Variance expected of the sum of the next days' returns; at every row, [rows]."""
        return days * self.scales[days][1] * self.signal(asset, days)


def _ratio(actual: Array, signal: Array) -> float:
    known = ~np.isnan(actual) & ~np.isnan(signal)
    return float(np.mean(actual[known]) / np.mean(signal[known]))
