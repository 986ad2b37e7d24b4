"""The variance of a day from its open, high, low and close: what there is without intraday prices."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

PERCENT2 = 1e4


SMALLEST_VARIANCE = 1e-4
"""Percent squared: a move of a hundredth of a percent. Quieter days count as this, so that logarithms exist."""


def floored(variance: Array) -> Array:
    """Variances of at least `SMALLEST_VARIANCE`; masked ones stay NaN."""
    return np.where(np.isnan(variance), np.nan, np.fmax(variance, SMALLEST_VARIANCE))


def squared_return(returns: Array) -> Array:
    """The variance of a day of which only the close is known, in percent squared; any shape."""
    return floored(returns**2)


def parkinson(high: Array, low: Array) -> Array:
    """(ln H/L)² / (4 ln 2), in percent squared; any shape.

    Five times as efficient as a squared return if prices move without drift or jumps. Source: Parkinson 1980.
    """
    return np.asarray(PERCENT2 * np.log(high / low) ** 2 / (4.0 * np.log(2.0)))


def garman_klass(open_: Array, high: Array, low: Array, close: Array) -> Array:
    """(ln H/L)² / 2 - (2 ln 2 - 1) (ln C/O)², in percent squared; never negative where L <= O, C <= H; any shape.

    Seven times as efficient as a squared return without drift. Source: Garman & Klass 1980, equation 20.
    """
    span, change = np.log(high / low), np.log(close / open_)
    return np.asarray(PERCENT2 * (0.5 * span**2 - (2.0 * np.log(2.0) - 1.0) * change**2))


def rogers_satchell(open_: Array, high: Array, low: Array, close: Array) -> Array:
    """The sum ln H/C ln H/O + ln L/C ln L/O, in percent squared; right under a drift too; any shape.

    Source: Rogers & Satchell 1991, equation 3.
    """
    above = np.log(high / close) * np.log(high / open_)
    return np.asarray(PERCENT2 * (above + np.log(low / close) * np.log(low / open_)))
