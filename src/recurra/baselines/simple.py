"""Rules without coefficients: the last value, the last season, a straight line from the first value to the last."""

import numpy as np
import numpy.typing as npt

from recurra.baselines._history import (
    filled_by_season,
    filled_forward,
    last_known_row,
    naive_residuals,
    residual_origins,
    targets_after,
)
from recurra.baselines.linear import LinearWindow
from recurra.baselines.rule import Rule
from recurra.data.frequency import Frequency
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError

Array = npt.NDArray[np.float64]


class Naive(Rule):
    """The last known value, repeated.

    ŷ[T + k] = y[T]

    Source: Hyndman & Athanasopoulos 2021, section 5.2.
    """

    name = "naive"

    def values(self, history: SeriesTable, horizon: int) -> Array:
        """The last known value of each series, shape [series, horizon]."""
        last = [filled_forward(history.series(i).y)[-1] for i in range(history.n_series)]
        return np.repeat(np.asarray(last, dtype=np.float64)[:, None], horizon, axis=1)

    def residuals(self, y: Array, horizon: int) -> Array:
        """y[t + k] - y[t], shape [horizon, origin]."""
        return naive_residuals(y, horizon)


class SeasonalNaive(Rule):
    """The last season, repeated; a value missing there comes from the season before, and so on, else the last one.

    ŷ[T + k] = y[T + k - m ⌈k / m⌉],  m = season

    A series with fewer rows than one season gets its last value, like `Naive`.

    Args:
        season: rows in one season, at least 1.

    Source: Hyndman & Athanasopoulos 2021, section 5.2.
    """

    def __init__(self, season: int) -> None:
        super().__init__()
        if season < 1:
            raise ConfigError(f"season is {season}; it counts the rows of one season and is at least 1")
        self.season = season
        self.name = f"seasonal naive ({season})"

    def values(self, history: SeriesTable, horizon: int) -> Array:
        """The value one season before, shape [series, horizon]."""
        value = np.empty((history.n_series, horizon))
        for i in range(history.n_series):
            y = history.series(i).y
            if not np.isnan(y[-self.season :]).any():
                y = y[-self.season :]
            value[i] = self._repeated(y, np.array([len(y) - 1]), horizon)[:, 0]
        return value

    def residuals(self, y: Array, horizon: int) -> Array:
        """y[t + k] less the value one season before it, shape [horizon, origin]."""
        origins = residual_origins(len(y), first=self.season - 1 if len(y) >= self.season else 0)
        return np.asarray(targets_after(y, origins, horizon) - self._repeated(y, origins, horizon))

    def _repeated(self, y: Array, origins: npt.NDArray[np.int64], horizon: int) -> Array:
        """What the rule says after each origin, shape [horizon, origin]."""
        last = np.broadcast_to(filled_forward(y)[origins], (horizon, len(origins)))
        if len(y) < self.season:
            return last
        k = np.arange(1, horizon + 1, dtype=np.int64)
        lookback = k - self.season * -(-k // self.season)
        seasonal = filled_by_season(y, self.season)[origins[None, :] + lookback[:, None]]
        return np.where(np.isnan(seasonal), last, seasonal)


class Drift(Rule):
    """The last known value plus the average change per row since the first known value.

    ŷ[T + k] = y[T] + k (y[T] - y[1]) / (T - 1)

    After missing last rows k counts from the last known one. With one known value the change is 0. In-sample errors
    leave out the origins in the first quarter of a series, where the slope rests on a few rows.

    Source: Hyndman & Athanasopoulos 2021, section 5.2.
    """

    name = "drift"

    def values(self, history: SeriesTable, horizon: int) -> Array:
        """The line through the first and the last known value, shape [series, horizon]."""
        value = np.empty((history.n_series, horizon))
        for i in range(history.n_series):
            y = history.series(i).y
            value[i] = self._line(y, np.array([len(y) - 1], dtype=np.int64), horizon)[:, 0]
        return value

    def residuals(self, y: Array, horizon: int) -> Array:
        """y[t + k] less the line through the first value and y[t], shape [horizon, origin]."""
        origins = residual_origins(len(y), first=len(y) // 4)
        return targets_after(y, origins, horizon) - self._line(y, origins, horizon)

    @staticmethod
    def _line(y: Array, origins: npt.NDArray[np.int64], horizon: int) -> Array:
        last = last_known_row(y)[origins]
        known = np.flatnonzero(~np.isnan(y))
        if not known.size:
            return np.full((horizon, len(origins)), np.nan)
        at_last = np.where(last >= 0, y[np.maximum(last, 0)], np.nan)
        slope = (at_last - y[known[0]]) / np.maximum(last - known[0], 1)
        return np.asarray(at_last + (origins - last + np.arange(1, horizon + 1)[:, None]) * slope)


def default_rules(frequency: Frequency, season: int | None, context: int | None) -> list[Rule]:
    """The rules every backtest reports: naive, seasonal naive (if there is a season), drift, linear window.

    Args:
        frequency: of the table; its own season stands in where `season` is None.
        season: rows in one season; 1 = none.
        context: rows the linear map looks at; None takes four seasons, at least 32 and at most 128: on the CTA
            ridership and on M4 Weekly a longer window was the stronger rule. Give fewer for series under 100 rows.

    Returns:
        Three or four rules, none of them fitted.

    Raises:
        ConfigError: if season or context is below 1.
    """
    m = frequency.season if season is None else season
    seasonal: list[Rule] = [SeasonalNaive(m)] if m != 1 else []
    return [Naive(), *seasonal, Drift(), LinearWindow(default_context(m) if context is None else context)]


def default_context(season: int) -> int:
    """Rows the linear map looks at by default: four seasons, at least 32 and at most 128."""
    return min(max(4 * season, 32), 128)
