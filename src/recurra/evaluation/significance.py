"""Is one forecaster's error really smaller than another's? Paired bootstraps and the Diebold-Mariano test."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError, ShapeError
from recurra.evaluation._student import two_sided_p, upper_quantile

Array = npt.NDArray[np.float64]

RESAMPLES = 4_000


@dataclass(frozen=True)
class Interval:
    """A mean difference with its bootstrap interval.

    Attributes:
        estimate: the mean difference; below 0 the first forecaster has the smaller error.
        lower: lower end, NaN if there are fewer than two blocks.
        upper: upper end, NaN likewise.
        level: the share of the interval, 0.95 for 95 %.
        blocks: how many independent blocks it rests on.
    """

    estimate: float
    lower: float
    upper: float
    level: float
    blocks: int

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside; False where the interval is not known."""
        return self.lower > 0.0 or self.upper < 0.0


@dataclass(frozen=True)
class DieboldMariano:
    """The outcome of `diebold_mariano`.

    Attributes:
        mean_difference: mean loss of the first less the second forecaster.
        statistic: after the small-sample correction.
        p_value: two-sided, from Student's t with n - 1 degrees of freedom.
        lags: autocovariances in the variance.
        n: differences used.
    """

    mean_difference: float
    statistic: float
    p_value: float
    lags: int
    n: int


def clustered_bootstrap(
    sums: npt.ArrayLike, counts: npt.ArrayLike, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Interval of a pooled mean difference over windows that lie in a grid of series and folds.

    estimate = Σ sums / Σ counts

    Series and folds are drawn with replacement, each on its own, and a window counts as often as its series times as
    often as its fold: errors of one series at several folds, and of several series at one fold, hang together. With
    one series only folds are drawn, with one fold only series. The interval is the percentile interval, widened for
    few blocks: its tails are Φ(-sqrt(n / (n - 1)) t) with t of Student's distribution, n - 1 degrees of freedom, n the
    larger of the number of series and of folds.

    Args:
        sums: summed differences of each window, shape [series, fold].
        counts: how many differences each sum holds, the same shape; 0 where there is no window.
        level: share of the interval.
        resamples: bootstrap draws.
        seed: of the draws; the same seed gives the same interval.

    Returns:
        The interval; without ends if fewer than two series and fewer than two folds have a window.

    Raises:
        ShapeError: if the shapes differ or are not two-dimensional.
        ConfigError: if the level is not between 0 and 1.

    Source: Owen 2007, "The pigeonhole bootstrap" (its variance is never too small on average); Hesterberg 2015,
    section 5.3, "expanded percentile interval".
    """
    s, c = np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if s.ndim != 2 or s.shape != c.shape:
        raise ShapeError(f"sums and counts have shapes {s.shape} and {c.shape}; both must be [series, fold]")
    s, c = s[c.sum(axis=1) > 0], c[c.sum(axis=1) > 0]
    s, c = s[:, c.sum(axis=0) > 0], c[:, c.sum(axis=0) > 0]
    blocks = max(s.shape) if s.size else 0
    tail = _expanded_tail(level, blocks)
    if blocks < 2:
        estimate = float(s.sum() / c.sum()) if s.size else math.nan
        return Interval(estimate, math.nan, math.nan, level, blocks)
    random = np.random.default_rng(seed)
    means = np.empty(resamples)
    for start in range(0, resamples, 250):
        size = min(250, resamples - start)
        series, folds = (_draws(random, n, size) for n in s.shape)
        total = np.sum((series @ s) * folds, axis=1)
        number = np.sum((series @ c) * folds, axis=1)
        means[start : start + size] = np.divide(total, number, out=np.full(size, np.nan), where=number > 0)
    lower, upper = np.nanquantile(means, [tail, 1.0 - tail])
    return Interval(float(s.sum() / c.sum()), float(lower), float(upper), level, blocks)


def moving_block_bootstrap(
    differences: npt.ArrayLike,
    *,
    block_length: int | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Interval of the mean of a series of paired differences in time order, such as errors per day.

    Whole blocks of neighbouring days are drawn with replacement, so that the dependence from day to day stays inside
    them. Blocks may wrap around the end, so that every day counts alike.

    Args:
        differences: loss of the first less the second forecaster, shape [time]; NaN = missing, takes no part.
        block_length: days per block; None takes 1.5 times the cube root of the length, at least 2. For forecasts
            h steps ahead take at least h.
        level: share of the interval.
        resamples: bootstrap draws.
        seed: of the draws.

    Returns:
        The percentile interval, widened for few blocks as in `clustered_bootstrap`; `blocks` is length / block_length.

    Raises:
        ShapeError: if `differences` is not one-dimensional.
        ConfigError: if the block length is not from 1 to the length, or the level not between 0 and 1.

    Source: Künsch 1989; Politis & Romano 1992 (circular blocks).
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 1:
        raise ShapeError(f"differences have shape {d.shape}; they must be one series in time order, shape [time]")
    b = min(max(2, round(1.5 * len(d) ** (1 / 3))), max(len(d), 1)) if block_length is None else block_length
    if not 1 <= b <= max(len(d), 1):
        raise ConfigError(f"block_length is {b}; it must be from 1 to the number of differences, {len(d)}")
    known = ~np.isnan(d)
    blocks = len(d) // b
    tail = _expanded_tail(level, blocks)
    estimate = float(np.mean(d[known])) if known.any() else math.nan
    if blocks < 2 or not known.any():
        return Interval(estimate, math.nan, math.nan, level, blocks)
    sums, counts = (_block_sums(values, b) for values in (np.where(known, d, 0.0), known.astype(np.float64)))
    starts = np.random.default_rng(seed).integers(0, len(d), size=(resamples, -(-len(d) // b)))
    total, number = sums[starts].sum(axis=1), counts[starts].sum(axis=1)
    means = np.divide(total, number, out=np.full(resamples, np.nan), where=number > 0)
    lower, upper = np.nanquantile(means, [tail, 1.0 - tail])
    return Interval(estimate, float(lower), float(upper), level, blocks)


def diebold_mariano(
    loss_a: npt.ArrayLike, loss_b: npt.ArrayLike, *, horizon: int = 1, lags: int | None = None
) -> DieboldMariano:
    """Test that two forecasters have the same expected loss, with HAC errors and the small-sample correction.

    d = loss_a - loss_b;  DM = mean(d) / sqrt(V / n),  V = γ_0 + 2 Σ_{l=1..L} w_l γ_l
    DM* = DM sqrt((n + 1 - 2h + h (h - 1) / n) / n), against Student's t with n - 1 degrees of freedom

    One step ahead, or with `lags` given, w_l = 1 - l / (L + 1), Bartlett's kernel. It would leave out a third of the
    variance of sums over h steps that overlap, so that for h > 1 all weights are 1; should V not be positive then, it
    is taken with Bartlett's kernel and twice the lags.

    Args:
        loss_a: losses of the first forecaster in time order (absolute errors, squared errors, ...), shape [time].
        loss_b: losses of the second on the same times. A time at which either is NaN is left out.
        horizon: steps ahead h of these forecasts.
        lags: L; None takes max(h - 1, floor(4 (n / 100)^(2/9))).

    Returns:
        Mean difference (below 0: the first is better), statistic and two-sided p value. Losses that never differ give
        statistic 0 and p 1.

    Raises:
        ShapeError: if the losses are not two series of the same length with at least two known pairs.
        ConfigError: if the horizon or the lags do not fit the length.

    Source: Diebold & Mariano 1995; Newey & West 1987, 1994; Harvey, Leybourne & Newbold 1997, equation 9.
    """
    a, b = np.asarray(loss_a, dtype=np.float64), np.asarray(loss_b, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ShapeError(f"the losses have shapes {a.shape} and {b.shape}; both must be [time], of the same length")
    d = a - b
    d = d[~np.isnan(d)]
    n = len(d)
    if n < 2:
        raise ShapeError(f"{n} known pairs of losses; the test needs at least 2")
    n_lags = max(horizon - 1, math.floor(4 * (n / 100) ** (2 / 9))) if lags is None else lags
    n_lags = min(n_lags, n - 1) if lags is None else n_lags
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    if horizon < 1 or not 0 <= n_lags < n or correction <= 0.0:
        raise ConfigError(f"horizon {horizon} and {n_lags} lags do not fit {n} pairs of losses")
    mean = float(np.mean(d))
    centred = d - mean
    flat = horizon > 1 and lags is None
    variance = _long_run_variance(centred, np.ones(n_lags) if flat else _bartlett(n_lags))
    if flat and variance <= 0.0:
        variance = _long_run_variance(centred, _bartlett(min(2 * n_lags, n - 1)))
    if variance > 0.0:
        statistic = mean / math.sqrt(variance / n) * math.sqrt(correction)
    else:
        statistic = math.copysign(math.inf, mean) if mean else 0.0
    return DieboldMariano(mean, statistic, two_sided_p(statistic, n - 1), n_lags, n)


def _long_run_variance(centred: Array, weights: Array) -> float:
    """V = γ_0 + 2 Σ w_l γ_l of differences less their mean."""
    n = len(centred)
    covariances = [float(centred[lag:] @ centred[:-lag]) / n for lag in range(1, len(weights) + 1)]
    return float(np.mean(centred**2)) + 2.0 * float(weights @ np.array(covariances))


def _bartlett(lags: int) -> Array:
    """1 - l / (L + 1), l = 1 ... L."""
    return 1.0 - np.arange(1, lags + 1) / (lags + 1)


def _expanded_tail(level: float, blocks: int) -> float:
    """The tail of the percentile interval that makes up for few blocks; Hesterberg 2015, section 5.3."""
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level is {level}; it must lie between 0 and 1, such as 0.95")
    if blocks < 2:
        return (1.0 - level) / 2.0
    t = upper_quantile((1.0 - level) / 2.0, blocks - 1)
    return NormalDist().cdf(-math.sqrt(blocks / (blocks - 1)) * t)


def _draws(random: np.random.Generator, n: int, resamples: int) -> Array:
    """How often each of n blocks is drawn in n draws with replacement, shape [resample, n]; n = 1 is drawn once."""
    if n == 1:
        return np.ones((resamples, 1))
    return random.multinomial(n, np.full(n, 1.0 / n), size=resamples).astype(np.float64)


def _block_sums(values: Array, length: int) -> Array:
    """Sum of the block that starts at each place, wrapping around; shape [time]."""
    wrapped = np.concatenate([values, values[: length - 1]])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(wrapped, length).sum(axis=1))
