"""What the forecasts of direction would have earned: long or flat, after costs. An illustration, not evidence."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError

Array = npt.NDArray[np.float64]

DAYS_A_YEAR = 252


@dataclass(frozen=True)
class LongFlat:
    """A position of one or nothing, and buying once and holding, on the same days.

    Attributes:
        growth: mean log return a year, in percent, after costs.
        sharpe: mean over standard deviation of the daily returns, a year's; without an interest rate.
        trades: how often the position changed.
        held: share of days in the market.
        growth_held: of buying and holding.
        sharpe_held: of buying and holding.
    """

    growth: float
    sharpe: float
    trades: int
    held: float
    growth_held: float
    sharpe_held: float


def long_flat(returns: npt.ArrayLike, up: npt.ArrayLike, *, cost: float = 0.05) -> LongFlat:
    """Hold the asset on the days that are forecast to rise, and nothing on the others.

    Args:
        returns: log returns in percent, [days]; NaN where masked, which earns nothing.
        up: whether each day was forecast to rise, from what was known before it, [days].
        cost: of each change of the position, in percent.

    Raises:
        ConfigError: for a negative cost or no days.

    >>> long_flat([1.0, -1.0, 2.0, 1.0], [True, False, True, True], cost=0.0).trades
    3
    """
    r, position = np.nan_to_num(np.asarray(returns, np.float64)), np.asarray(up, bool)
    if cost < 0.0 or not r.size:
        raise ConfigError(f"cost is {cost} and there are {r.size} days; give a cost of 0 or more and at least one day")
    changes = np.abs(np.diff(position.astype(np.int64), prepend=0))
    earned = r * position - cost * changes
    return LongFlat(
        growth=float(earned.mean() * DAYS_A_YEAR),
        sharpe=_sharpe(earned),
        trades=int(changes.sum()),
        held=float(position.mean()),
        growth_held=float((r.sum() - cost) / len(r) * DAYS_A_YEAR),
        sharpe_held=_sharpe(r),
    )


def _sharpe(daily: Array) -> float:
    spread = float(daily.std())
    return float(daily.mean()) / spread * math.sqrt(DAYS_A_YEAR) if spread > 0.0 else 0.0
