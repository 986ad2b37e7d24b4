"""The rules beside the networks on M4 Weekly: naive, seasonal naive, Theta, and a linear map."""

import numpy as np
import numpy.typing as npt

from recurra.baselines import LinearWindow, SeasonalNaive
from recurra.data.series import SeriesTable

Array = npt.NDArray[np.float64]
WEIGHTS = np.linspace(0.02, 1.0, 50)


def rule_forecasts(train: SeriesTable, horizon: int, season: int, context: int) -> dict[str, Array]:
    """Point forecasts of each rule after the last rows of `train`, [series, horizon] each."""
    series = [train.series(i).y for i in range(train.n_series)]
    return {
        "naive": np.stack([np.repeat(y[-1], horizon) for y in series]),
        f"seasonal naive ({season})": SeasonalNaive(season).fit(train).values(train, horizon),
        "Theta": np.stack([theta(y, horizon) for y in series]),
        f"linear map ({context} weeks)": LinearWindow(context).fit(train).values(train, horizon),
    }


def theta(y: Array, horizon: int) -> Array:
    """The Theta method without a season: exponential smoothing with half the slope of the straight line as drift.

    ŷ[T + k] = l[T] + b / 2 (k - 1 + (1 - (1 - a)^T) / a),   l[t] = a y[t] + (1 - a) l[t - 1]

    Args:
        y: the series.
        horizon: steps ahead.

    Source: Assimakopoulos & Nikolopoulos 2000, in the form of Hyndman & Billah 2003; the weight a with the smallest
    squared one-step error is taken from a grid.
    """
    n = len(y)
    slope = float(np.polyfit(np.arange(n), y, 1)[0])
    level, squares = np.full(len(WEIGHTS), y[0]), np.zeros(len(WEIGHTS))
    for value in y[1:]:
        error = value - level
        squares += error * error
        level += WEIGHTS * error
    best = int(np.argmin(squares))
    a = float(WEIGHTS[best])
    steps: Array = np.arange(1, horizon + 1, dtype=np.float64)
    return np.asarray(level[best] + slope / 2 * (steps - 1 + (1 - (1 - a) ** n) / a))
