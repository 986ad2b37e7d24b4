"""Scores of a point forecast: MAE, RMSE, sMAPE and MASE.

In each of them a target that is NaN is missing and takes no part. A forecast that is NaN where the target
is known makes the score NaN: it is never passed over. With no target left the score is NaN.
"""

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError, ShapeError

Array = npt.NDArray[np.float64]


def mae(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """Mean absolute error, in the units of the target.

    MAE = mean |y - ŷ|

    Args:
        actual: the targets, any shape; NaN = missing.
        forecast: the forecasts, the same shape.

    Returns:
        The mean over the known targets; NaN if there are none.

    Raises:
        ShapeError: if the shapes differ.

    Source: Hyndman & Koehler 2006, section 2.1.

    >>> mae([1.0, 2.0, float("nan")], [2.0, 2.0, 9.0])
    0.5
    """
    y, f = _known(actual, forecast)
    return float(np.mean(np.abs(y - f))) if y.size else float("nan")


def rmse(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """Root of the mean squared error, in the units of the target.

    RMSE = sqrt(mean (y - ŷ)²)

    Args:
        actual: the targets, any shape; NaN = missing.
        forecast: the forecasts, the same shape.

    Returns:
        The root mean square over the known targets; NaN if there are none.

    Raises:
        ShapeError: if the shapes differ.

    Source: Hyndman & Koehler 2006, section 2.1.

    >>> rmse([0.0, 0.0], [3.0, -3.0])
    3.0
    """
    y, f = _known(actual, forecast)
    return float(np.sqrt(np.mean(np.square(y - f)))) if y.size else float("nan")


def smape(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """Symmetric mean absolute percentage error as the M4 competition defines it, in percent, from 0 to 200.

    sMAPE = mean 200 |y - ŷ| / (|y| + |ŷ|);  a term with y = ŷ = 0 counts as 0

    Args:
        actual: the targets, any shape; NaN = missing.
        forecast: the forecasts, the same shape.

    Returns:
        The mean over the known targets; NaN if there are none.

    Raises:
        ShapeError: if the shapes differ.

    Source: Makridakis, Spiliotis & Assimakopoulos 2020, "The M4 Competition", equation 1.

    >>> smape([100.0], [300.0])
    100.0
    """
    y, f = _known(actual, forecast)
    if not y.size:
        return float("nan")
    size = np.abs(y) + np.abs(f)
    return float(np.mean(200.0 * np.abs(y - f) / np.where(size == 0.0, 1.0, size)))


def mase_scale(insample: npt.ArrayLike, season: int = 1) -> float:
    """Mean absolute error of the seasonal naive rule inside the history: the denominator of MASE.

    scale = mean |y[t] - y[t - season]|, over the t where both are known

    Args:
        insample: the history of one series, shape [rows]; NaN = missing.
        season: rows in one season; 1 compares with the row before.

    Returns:
        The scale in the units of the target. NaN if no pair is known, or if every pair is equal:
        a history that always repeats itself has no scale.

    Raises:
        ShapeError: if `insample` has more than one axis.
        ConfigError: if `season` is below 1.

    Source: Hyndman & Koehler 2006, section 3.

    >>> mase_scale([1.0, 3.0, 2.0])
    1.5
    """
    y = np.asarray(insample, dtype=np.float64)
    if y.ndim != 1:
        raise ShapeError(f"insample has {y.ndim} axes; hand over the history of one series, shape [rows]")
    if season < 1:
        raise ConfigError(f"season is {season}; it counts the rows of one season and is at least 1")
    steps = np.abs(y[season:] - y[:-season])
    steps = steps[~np.isnan(steps)]
    scale = float(np.mean(steps)) if steps.size else 0.0
    return scale if scale > 0.0 else float("nan")


def mase(actual: npt.ArrayLike, forecast: npt.ArrayLike, insample: npt.ArrayLike, season: int = 1) -> float:
    """Mean absolute scaled error: below 1 beats the seasonal naive rule's one-season error inside the history. No unit.

    MASE = mean |y - ŷ| / mean |y[t] - y[t - season]| of the history

    Args:
        actual: the targets of one series, any shape; NaN = missing.
        forecast: the forecasts, the same shape.
        insample: the history that the forecast was made from, shape [rows].
        season: rows in one season. M4 Weekly uses 1.

    Returns:
        The scaled error; NaN if there is no known target or the history has no scale (see `mase_scale`).

    Raises:
        ShapeError: if shapes do not fit.
        ConfigError: if `season` is below 1.

    Source: Hyndman & Koehler 2006, section 3; Makridakis et al. 2020, equation 2.

    >>> mase([5.0], [2.0], insample=[1.0, 3.0, 2.0])
    2.0
    """
    return mae(actual, forecast) / mase_scale(insample, season)


def _known(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> tuple[Array, Array]:
    y = np.asarray(actual, dtype=np.float64)
    f = np.asarray(forecast, dtype=np.float64)
    if y.shape != f.shape:
        raise ShapeError(f"actual has shape {y.shape} but forecast has shape {f.shape}; they must agree")
    known = ~np.isnan(y)
    return y[known], f[known]
