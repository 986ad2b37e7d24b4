"""What is forecast: the sum of the next returns, and the mean of the next variances."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def return_ahead(returns: Array, days: int) -> Array:
    """Σ r[t + 1 ... t + days] at each row t of one asset, [rows]; NaN where one of them is masked or beyond the end."""
    return days * _mean_ahead(returns, days)


def variance_ahead(variance: Array, days: int) -> Array:
    """The mean of v[t + 1 ... t + days] at each row t of one asset, [rows]; NaN as in `return_ahead`."""
    return _mean_ahead(variance, days)


def _mean_ahead(values: Array, days: int) -> Array:
    padded = np.concatenate([values, np.full(days, np.nan)])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded[1:], days).mean(axis=1))
