"""What every naive rule has in common: its forecast, dated and with quantiles from its own past misses."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from recurra.baselines._spread import Spread, learn_spread
from recurra.data.forecasts import Forecasts, check_levels
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError

Array = npt.NDArray[np.float64]
RuleT = TypeVar("RuleT", bound="Rule")


class Rule(ABC):
    """A naive rule: from the history of each series alone to its next rows.

    * The median and the mean of its forecasts are both the rule's own value.
    * The other quantiles are that value plus the empirical quantiles of the rule's in-sample errors at the same
      step ahead, less their median: per series, from the latest 2,000 origins; pooled over series by scale where a
      series has under 20 of them. They never cross.
    * What is learned (errors, and the coefficients of `LinearWindow`) comes from the table handed to `fit`; a rule
      that was not fitted learns from the history it forecasts, each time, and keeps nothing.
    * Missing values in the history are passed over. A series without any known value gets NaN.

    Attributes:
        name: how reports call the rule.
    """

    name: str

    def __init__(self) -> None:
        self._history: SeriesTable | None = None
        self._spreads: dict[tuple[int, tuple[float, ...]], Spread] = {}

    @abstractmethod
    def values(self, history: SeriesTable, horizon: int) -> Array:
        """The rule's value for the next `horizon` rows of every series, shape [series, horizon]."""

    @abstractmethod
    def residuals(self, y: Array, horizon: int) -> Array:
        """What the rule missed by inside one series y [rows]: target - value, shape [horizon, origin]."""

    def fit(self: RuleT, history: SeriesTable) -> RuleT:
        """Learn from this table, once, for forecasts from any number of origins.

        Args:
            history: the rows to learn from. Nothing is computed before the first forecast.

        Returns:
            The rule itself.
        """
        self._history = history
        self._spreads = {}
        return self

    def forecast(self, history: SeriesTable, horizon: int, levels: Sequence[float]) -> Forecasts:
        """Forecast the rows right after the last one of each series.

        Args:
            history: what is known, at least one row per series.
            horizon: steps ahead, at least 1.
            levels: quantile levels, between 0 and 1, increasing.

        Returns:
            Dated forecasts for every series of `history`, in its order.

        Raises:
            ConfigError: if the horizon is below 1 or the levels do not increase between 0 and 1.
        """
        tau = _checked(horizon, levels)
        if self._history is None:
            return copy.copy(self).fit(history).forecast(history, horizon, tau)
        if (horizon, tau) not in self._spreads:
            self._spreads[horizon, tau] = learn_spread(
                self._history, lambda y: self.residuals(y, horizon), horizon, tau
            )
        spread = self._spreads[horizon, tau]
        value = self.values(history, horizon)
        offsets = [spread.of(history.ids[i], history.series(i).y) for i in range(history.n_series)]
        return Forecasts(
            ids=history.ids,
            ds=history.future_ds(horizon),
            levels=tau,
            quantiles=value[:, :, None] + np.asarray(offsets).reshape(*value.shape, len(tau)),
            mean=value,
        )


def forecast_many(
    rule: Rule, table: SeriesTable, ends: Sequence[npt.NDArray[np.int64]], horizon: int, levels: Sequence[float]
) -> list[Forecasts]:
    """Forecast from many origins of the same table, learning only once, before the first of them.

    Args:
        rule: the rule; it is left as it was. If it was fitted, what it learned is used.
        table: the whole table. No forecast sees a row at or after its origin.
        ends: for each origin, how many rows of each series are known, shape [series]; 0 = the series takes no part.
        horizon: steps ahead.
        levels: quantile levels.

    Returns:
        One `Forecasts` per origin.

    Raises:
        ConfigError: if the horizon is below 1 or the levels do not increase between 0 and 1.
    """
    if not len(ends):
        return []
    learned = copy.copy(rule)
    if learned._history is None:
        learned.fit(table.truncate(ends[0]))
    return [learned.forecast(table.truncate(end), horizon, levels) for end in ends]


def _checked(horizon: int, levels: Sequence[float]) -> tuple[float, ...]:
    if horizon < 1:
        raise ConfigError(f"horizon is {horizon}; it counts the steps ahead and is at least 1")
    tau = tuple(float(level) for level in levels)
    check_levels(tau)
    if not tau:
        raise ConfigError("levels are empty; give at least one quantile level, such as 0.5")
    return tau
