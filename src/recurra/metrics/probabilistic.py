"""Scores of a forecast distribution given as quantiles or as an interval: pinball loss, CRPS, coverage, width.

In each of them a target that is NaN is missing and takes no part. A forecast that is NaN where the target
is known makes the score NaN. With no target left the score is NaN.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError, ShapeError

Array = npt.NDArray[np.float64]


def pinball(actual: npt.ArrayLike, quantiles: npt.ArrayLike, levels: Sequence[float]) -> Array:
    """Pinball loss of every target and level, in the units of the target.

    ρ_τ(y, q) = (y - q) τ  if y >= q,  else (q - y) (1 - τ)

    Args:
        actual: the targets, shape [...]; NaN = missing.
        quantiles: the forecast quantiles, shape [..., level].
        levels: τ of each quantile, strictly between 0 and 1, increasing.

    Returns:
        The losses, shape [..., level]; NaN where the target is missing. Without a factor of 2: at level 0.5
        the loss is half the absolute error.

    Raises:
        ShapeError: if the shapes do not fit.
        ConfigError: if a level is not between 0 and 1, or they do not increase.

    Source: Koenker & Bassett 1978.

    >>> pinball([10.0], [[8.0, 12.0]], (0.1, 0.9)).round(3).tolist()
    [[0.2, 0.2]]
    """
    y, q, tau = _checked(actual, quantiles, levels)
    error = y[..., None] - q
    return np.asarray(np.maximum(tau * error, (tau - 1.0) * error))


def quantile_loss(actual: npt.ArrayLike, quantiles: npt.ArrayLike, levels: Sequence[float]) -> float:
    """Mean pinball loss over known targets and levels, in the units of the target, without a factor of 2.

    Args:
        actual: the targets, shape [...]; NaN = missing.
        quantiles: the forecast quantiles, shape [..., level].
        levels: the level of each quantile.

    Returns:
        The mean loss; NaN if no target is known.

    Raises:
        ShapeError: if the shapes do not fit.
        ConfigError: if a level is not between 0 and 1, or they do not increase.

    Source: Koenker & Bassett 1978.

    >>> quantile_loss([10.0], [[9.0]], (0.5,))
    0.5
    """
    known = ~np.isnan(np.asarray(actual, dtype=np.float64))
    losses = pinball(actual, quantiles, levels)[known]
    return float(np.mean(losses)) if losses.size else float("nan")


def weighted_quantile_loss(actual: npt.ArrayLike, quantiles: npt.ArrayLike, levels: Sequence[float]) -> float:
    """Quantile loss in relation to the size of the targets, averaged over levels. No unit.

    wQL = mean over τ of  2 Σ ρ_τ(y, q_τ) / Σ |y|

    With the single level 0.5 this is the normalised deviation (ND).

    Args:
        actual: the targets, shape [...]; NaN = missing.
        quantiles: the forecast quantiles, shape [..., level].
        levels: the level of each quantile.

    Returns:
        The weighted loss; NaN if no target is known or all known targets are 0.

    Raises:
        ShapeError: if the shapes do not fit.
        ConfigError: if a level is not between 0 and 1, or they do not increase.

    Source: Salinas et al. 2020 (DeepAR), section 4; the mean_wQuantileLoss of GluonTS.

    >>> weighted_quantile_loss([10.0, -10.0], [[9.0], [-9.0]], (0.5,))
    0.1
    """
    y = np.asarray(actual, dtype=np.float64)
    known = ~np.isnan(y)
    total = float(np.sum(np.abs(y[known])))
    losses = pinball(actual, quantiles, levels)[known]
    return float(2.0 * np.sum(losses) / total / losses.shape[-1]) if total > 0.0 else float("nan")


def coverage(actual: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike) -> float:
    """Share of the known targets that lie inside the interval, ends included: 0.9 is right for a 90 % interval.

    Args:
        actual: the targets, any shape; NaN = missing.
        lower: the lower ends, the same shape.
        upper: the upper ends, the same shape.

    Returns:
        The share, from 0 to 1; NaN if no target is known or an end is NaN where one is.

    Raises:
        ShapeError: if the shapes differ.

    Source: Gneiting & Raftery 2007, section 6.2.

    >>> coverage([1.0, 5.0], [0.0, 0.0], [2.0, 2.0])
    0.5
    """
    y, low, high = _same_shape(actual, lower, upper)
    known = ~np.isnan(y)
    if not known.any() or np.isnan(low[known]).any() or np.isnan(high[known]).any():
        return float("nan")
    return float(np.mean((low[known] <= y[known]) & (y[known] <= high[known])))


def interval_width(actual: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike) -> float:
    """Mean width of the interval over the known targets, in the units of the target: coverage's other half.

    Args:
        actual: the targets, any shape; only which of them are known matters.
        lower: the lower ends, the same shape.
        upper: the upper ends, the same shape.

    Returns:
        The mean width; NaN if no target is known.

    Raises:
        ShapeError: if the shapes differ.

    Source: Gneiting & Raftery 2007, section 6.2.

    >>> interval_width([1.0, 5.0], [0.0, 0.0], [2.0, 4.0])
    3.0
    """
    y, low, high = _same_shape(actual, lower, upper)
    known = ~np.isnan(y)
    return float(np.mean(high[known] - low[known])) if known.any() else float("nan")


def crps_from_quantiles(actual: npt.ArrayLike, quantiles: npt.ArrayLike, levels: Sequence[float]) -> float:
    """Continuous ranked probability score from quantiles, in the units of the target.

    CRPS = 2 ∫₀¹ ρ_τ(y, q_τ) dτ  ≈  2 Σ_i w_i ρ_τᵢ(y, q_i)

    w_i is the length of [0, 1] that lies nearer to level i than to any other, so unevenly spaced levels count as
    they should, and with the single level 0.5 the score is the MAE.

    Args:
        actual: the targets, shape [...]; NaN = missing.
        quantiles: the forecast quantiles, shape [..., level].
        levels: the level of each quantile.

    Returns:
        The mean score; NaN if no target is known.

    Raises:
        ShapeError: if the shapes do not fit.
        ConfigError: if a level is not between 0 and 1, or they do not increase.

    Source: Gneiting & Ranjan 2011, equation 17 (the integral); the sum is the midpoint rule.

    >>> crps_from_quantiles([10.0], [[9.0]], (0.5,))
    1.0
    """
    known = ~np.isnan(np.asarray(actual, dtype=np.float64))
    losses = pinball(actual, quantiles, levels)[known]
    tau = np.asarray(levels, dtype=np.float64)
    edges = np.concatenate(([0.0], (tau[1:] + tau[:-1]) / 2.0, [1.0]))
    return float(np.mean(2.0 * losses @ np.diff(edges))) if losses.size else float("nan")


def _checked(actual: npt.ArrayLike, quantiles: npt.ArrayLike, levels: Sequence[float]) -> tuple[Array, Array, Array]:
    y = np.asarray(actual, dtype=np.float64)
    q = np.asarray(quantiles, dtype=np.float64)
    tau = np.asarray(levels, dtype=np.float64)
    inside = tau.ndim == 1 and tau.size and bool(np.all((tau > 0.0) & (tau < 1.0)))
    if not inside or bool(np.any(np.diff(tau) <= 0.0)):
        raise ConfigError(f"levels are {levels}; they must lie between 0 and 1, without the ends, and increase")
    if q.shape != (*y.shape, tau.size):
        raise ShapeError(
            f"quantiles have shape {q.shape} but targets of shape {y.shape} and {tau.size} levels ask for "
            f"{(*y.shape, tau.size)}"
        )
    return y, q, tau


def _same_shape(actual: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike) -> tuple[Array, Array, Array]:
    y, low, high = (np.asarray(values, dtype=np.float64) for values in (actual, lower, upper))
    if not y.shape == low.shape == high.shape:
        raise ShapeError(f"actual, lower and upper have shapes {y.shape}, {low.shape}, {high.shape}; they must agree")
    return y, low, high
