"""Trading days: holes in them, and the days that come next."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.errors import TimeStampError

Days = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]


def long_gaps(ds: Days, longest: int) -> Bools:
    """Rows of one asset that come more than `longest` calendar days after the row before, [rows]."""
    days = ds.astype("datetime64[D]").astype(np.int64)
    return np.concatenate([[False], np.diff(days) > longest]) if len(days) else np.zeros(0, bool)


def refuse_gaps(ds: Days, gaps: Bools, place: Callable[[int], str]) -> None:
    """Refuse a table with a hole that no weekend or holiday explains.

    Raises:
        TimeStampError: for the first; names row, length and remedy.
    """
    if gaps.any():
        row = int(np.argmax(gaps))
        days = int((ds[row] - ds[row - 1]).astype("timedelta64[D]").astype(np.int64))
        raise TimeStampError(
            f"{place(row)}: {days} days after the row before; add the trading days that are missing, or use "
            "gaps='mask', which leaves out the return across the gap"
        )


def next_trading_days(ds: Days, ahead: npt.ArrayLike) -> Days:
    """The days after the last one: weekdays, or every day where the asset trades at weekends; [len(ahead)].

    Holidays are not known, so that a day may be one.

    Args:
        ds: the days so far, [rows].
        ahead: how many trading days after the last, each at least 1.
    """
    days = ds.astype("datetime64[D]")
    steps = np.asarray(ahead, np.int64)
    weekends = not np.is_busday(days[-90:]).all()
    last = days[-1]
    after = last + steps if weekends else np.busday_offset(last, steps, roll="backward")
    return np.asarray(after.astype("datetime64[us]"))
