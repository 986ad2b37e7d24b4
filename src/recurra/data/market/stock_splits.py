"""Stock splits: a close that is half the one before because there are twice as many shares."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from recurra.errors import BadValueError

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

RATIOS = np.array([1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 100])
TOLERANCE = 0.06
"""How far, as a log return, the day of a split may move beside it."""


def find_splits(close: Array, opening: Array | None = None) -> tuple[Rows, Array]:
    """Rows whose price looks like the one before divided, or multiplied, by a usual split.

    The ratio is 1.5, 2, 2.5, 3 ... to 100 or one over it, and the price is within 6 % of that. A fall of a third to a
    half is rare but can be real, which is why a table with one is refused unless told what to do.

    Args:
        close: closing prices of one asset in time order, [rows]; NaN where missing.
        opening: opening prices, which then must show the split already, [rows].

    Returns:
        The rows, and by what the prices before each must be divided.

    >>> find_splits(np.array([100.0, 101.0, 50.0, 51.0]))[1].tolist()
    [2.0]
    """
    change = _change(close, close)
    known = ~np.isnan(change)
    ratios = np.concatenate([RATIOS, 1.0 / RATIOS])
    distance = np.abs(np.where(known, change, 0.0)[:, None] + np.log(ratios))
    nearest = np.argmin(distance, axis=1)
    found = known & (distance[np.arange(len(close)), nearest] < TOLERANCE)
    if opening is not None:
        gap = _change(opening, close)
        found &= np.isnan(gap) | (np.abs(gap + np.log(ratios[nearest])) < 2.0 * TOLERANCE)
    rows = np.flatnonzero(found).astype(np.int64)
    return rows, ratios[nearest[rows]]


def refuse_splits(rows: Rows, ratios: Array, place: Callable[[int], str]) -> None:
    """Refuse a table with a split that nobody has spoken of.

    Raises:
        BadValueError: for the first; names row, ratio and the three ways out.
    """
    if len(rows):
        ratio = float(ratios[0])
        shown = f"{ratio:g} for 1" if ratio > 1 else f"1 for {1 / ratio:g}"
        raise BadValueError(
            f"{place(int(rows[0]))}: the price looks like a stock split ({shown}); use splits='adjust' to divide the "
            "prices before it, splits='ignore' if the change is real, or name a column adjusted_close"
        )


def split_factors(n: int, rows: Rows, ratios: Array) -> Array:
    """What to divide each row's prices by so that splits leave no jump, [n]: the product of the later ratios."""
    factors = np.ones(n)
    for row, ratio in zip(rows, ratios, strict=True):
        factors[:row] *= ratio
    return factors


def _change(now: Array, before: Array) -> Array:
    """Logarithm of now[t] / before[t - 1]; NaN in the first row, [rows]."""
    return np.concatenate([[np.nan], np.log(now[1:]) - np.log(before[:-1])]) if len(now) else now
