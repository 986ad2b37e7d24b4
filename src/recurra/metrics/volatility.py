"""Scores of forecast variances and directions, and tests of risk: QLIKE, Gaussian likelihood, VaR, hits, uniformity."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError, ShapeError

Array = npt.NDArray[np.float64]


def qlike(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> Array:
    """QLIKE of each variance: v/h - ln(v/h) - 1, 0 where the forecast is right; the shape that came in.

    Too low a forecast costs more than too high a one. NaN where either is.

    Raises:
        ShapeError: if the shapes differ.

    Source: Patton 2011, equation 24 with b = -2: ranks forecasts rightly also where the variance is only estimated.

    >>> qlike([1.0, 1.0], [1.0, 0.5]).round(3).tolist()
    [0.0, 0.307]
    """
    v, h = _pair(actual, forecast)
    return np.asarray(v / h - np.log(v / h) - 1.0)


def gaussian_nll(actual: npt.ArrayLike, mean: npt.ArrayLike, variance: npt.ArrayLike) -> Array:
    """Negative log likelihood of each value under N(mean, variance), in nats; broadcasts.

    >>> gaussian_nll([0.0], [0.0], [1.0]).round(4).tolist()
    [0.9189]
    """
    y, m, s2 = (np.asarray(values, dtype=np.float64) for values in (actual, mean, variance))
    return np.asarray(0.5 * (np.log(2.0 * np.pi * s2) + (y - m) ** 2 / s2))


@dataclass(frozen=True)
class Kupiec:
    """How often a return fell below its value at risk.

    Attributes:
        level: the share that should.
        share: the share that did; NaN without days.
        n: days.
        p_value: of the likelihood ratio test that the two agree; NaN without days.
    """

    level: float
    share: float
    n: int
    p_value: float


def kupiec(violations: npt.ArrayLike, level: float) -> Kupiec:
    """The unconditional coverage test of a value at risk.

    LR = -2 ln [ (1 - p)^(n - x) p^x / ((1 - x/n)^(n - x) (x/n)^x) ] ~ χ²(1)

    Args:
        violations: whether each day's return fell below its value at risk, [days].
        level: p, such as 0.01.

    Raises:
        ConfigError: if the level is not between 0 and 1.

    Source: Kupiec 1995, equation 6.

    >>> kupiec([True] * 5 + [False] * 95, 0.05).p_value
    1.0
    """
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level is {level}; it must lie between 0 and 1, such as 0.01")
    hits = np.asarray(violations, dtype=bool)
    n, x = hits.size, int(hits.sum())
    if n == 0:
        return Kupiec(level, math.nan, 0, math.nan)
    ratio = 2.0 * (_log_binomial(n, x, x / n) - _log_binomial(n, x, level))
    return Kupiec(level, x / n, n, math.erfc(math.sqrt(max(ratio, 0.0) / 2.0)))


def wilson_interval(hits: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Interval of a share: 95 % by default; NaN without trials.

    (p + z²/2n ± z sqrt(p (1 - p) / n + z²/4n²)) / (1 + z²/n)

    Source: Wilson 1927, equation 5.

    >>> [round(end, 3) for end in wilson_interval(543, 1000)]
    [0.512, 0.574]
    """
    if n == 0:
        return math.nan, math.nan
    p, z2 = hits / n, z * z
    centre, reach = p + z2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return (centre - reach) / (1 + z2 / n), (centre + reach) / (1 + z2 / n)


def uniformity(pit: npt.ArrayLike) -> tuple[float, float]:
    """How far probability integral transforms are from uniform: Kolmogorov's distance, and its p value.

    Args:
        pit: the forecast distribution function at what came, [days]; NaN takes no part.

    Returns:
        The largest distance of the two distribution functions, and the asymptotic p value; NaN without days.

    Source: Diebold, Gunther & Tay 1998 (the use); Stephens 1970 (the correction for n).
    """
    u = np.sort(np.asarray(pit, dtype=np.float64))
    u = u[~np.isnan(u)]
    n = len(u)
    if n == 0:
        return math.nan, math.nan
    steps = np.arange(1, n + 1) / n
    distance = float(np.max(np.maximum(steps - u, u - steps + 1.0 / n)))
    x = distance * (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n))
    if x < 0.3:
        return distance, 1.0
    k = np.arange(1, 101)
    return distance, float(np.clip(2.0 * np.sum((-1.0) ** (k - 1) * np.exp(-2.0 * k**2 * x**2)), 0.0, 1.0))


def _pair(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> tuple[Array, Array]:
    a, f = np.asarray(actual, dtype=np.float64), np.asarray(forecast, dtype=np.float64)
    if a.shape != f.shape:
        raise ShapeError(f"actual and forecast have shapes {a.shape} and {f.shape}; they must agree")
    return a, f


def _log_binomial(n: int, x: int, p: float) -> float:
    """Logarithm of p^x (1 - p)^(n - x), with 0 ln 0 = 0."""
    return (x * math.log(p) if x else 0.0) + ((n - x) * math.log(1.0 - p) if x < n else 0.0)
