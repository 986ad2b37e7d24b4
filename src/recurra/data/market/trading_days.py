"""Trading days: holes in them, and the days that come next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.errors import TimeStampError

Days = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

HABIT = 22
"""Rows before a gap that tell on which weekdays an asset trades: those that occur at least twice among them."""
TOO_MANY = 2
"""Expected trading days in a row that no ordinary holiday explains."""
ALIVE = 8
"""An asset that has traded within so many calendar days, today among them, is expected to trade with the others."""
CLOSED = ("2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14", "2012-10-29", "2012-10-30")
"""When New York was closed for more than a day without a holiday: after the attacks, and for a hurricane."""


@dataclass(frozen=True)
class Calendar:
    """How many assets of a table traded on each calendar day, and how many were expected to.

    Args:
        first: the first day, counted from 1970.
        traded, alive: of every day from then on, [days].
    """

    first: int
    traded: Ints
    alive: Ints

    @classmethod
    def of(cls, assets: Sequence[Days]) -> "Calendar":
        """The calendar of the trading days of some assets."""
        if not assets:
            return cls(0, np.zeros(0, np.int64), np.zeros(0, np.int64))
        numbers = [_numbers(ds) for ds in assets]
        first, last = min(int(days[0]) for days in numbers), max(int(days[-1]) for days in numbers)
        traded, alive = np.zeros(last - first + 1, np.int64), np.zeros(last - first + 1, np.int64)
        for days in numbers:
            own = np.zeros(len(traded) + ALIVE, np.int64)
            own[days - first + ALIVE] = 1
            total = np.cumsum(own)
            traded += own[ALIVE:]
            alive += total[ALIVE:] > total[:-ALIVE]
        return cls(first, traded, alive)

    def without(self, ds: Days) -> "Calendar":
        """That of the other assets."""
        own = Calendar.of([ds])
        part = slice(own.first - self.first, own.first - self.first + len(own.traded))
        traded, alive = self.traded.copy(), self.alive.copy()
        traded[part] -= own.traded
        alive[part] -= own.alive
        return Calendar(self.first, traded, alive)

    def expected(self, days: Ints) -> Bools:
        """Whether half of the assets traded; where there are none, whether the day is no common holiday; any shape."""
        inside = (days >= self.first) & (days < self.first + len(self.traded))
        at = np.where(inside, days - self.first, 0)
        if not len(self.traded):
            return ~common_holidays(days)
        traded, alive = np.where(inside, self.traded[at], 0), np.where(inside, self.alive[at], 0)
        return np.asarray(np.where(alive > 0, 2 * traded >= alive, ~common_holidays(days)))


def missing_days(ds: Days, longest: int, others: Calendar, closed: Sequence[str] = CLOSED) -> Ints:
    """Expected trading days between each row of one asset and the one before, from what came before them; [rows].

    A day is expected if the asset has traded on its weekday at least twice in its last 22 rows, and if the other assets
    traded, or, without others, it is no common holiday. Nothing is expected before 22 rows are there.

    Args:
        ds: trading days.
        longest: calendar days that are looked through.
        others: the other assets of the table.
        closed: days that are not expected, such as "2012-10-29".
    """
    days = _numbers(ds)
    missing = np.zeros(len(days), np.int64)
    if len(days) <= HABIT:
        return missing
    seen = np.concatenate([np.zeros((1, 7), np.int64), np.cumsum(np.eye(7, dtype=np.int64)[days % 7], axis=0)])
    habit = seen[HABIT:-1] - seen[: -HABIT - 1] >= 2
    before, now = days[HABIT - 1 : -1], days[HABIT:]
    for step in range(1, longest):
        day = before + step
        hoped = (day < now) & habit[np.arange(len(day)), day % 7]
        at = np.flatnonzero(hoped)
        open_ = others.expected(day[at]) & ~np.isin(day[at], _numbers(np.array(closed, "datetime64[D]")))
        missing[HABIT + at] += open_
    return missing


def find_holes(ds: Days, longest: int, others: Calendar, closed: Sequence[str] = CLOSED) -> Bools:
    """Rows of one asset before which trading days are missing: too many calendar days, or two expected ones; [rows]."""
    return long_gaps(ds, longest) | (missing_days(ds, longest, others, closed) >= TOO_MANY)


def common_holidays(days: Ints) -> Bools:
    """Christmas to New Year (24 December to 3 January), Good Friday and Easter Monday; days counted from 1970."""
    dates = np.asarray(days, np.int64).astype("datetime64[D]")
    year = dates.astype("datetime64[Y]")
    new_year = year.astype("datetime64[D]")
    since, until = (dates - new_year).astype(np.int64), ((year + 1).astype("datetime64[D]") - dates).astype(np.int64)
    after_easter = since - easter(year.astype(np.int64) + 1970)
    return np.asarray((since < 3) | (until <= 8) | (after_easter == -2) | (after_easter == 1))


def easter(year: Ints) -> Ints:
    """Easter Sunday as days after 1 January; any shape. Source: Meeus 1991, chapter 8 (Butcher's rule)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    number = h + weekday - 7 * ((a + 11 * h + 22 * weekday) // 451) + 114
    day = (number // 31 - 1).astype("timedelta64[M]") + (year - 1970).astype("datetime64[Y]").astype("datetime64[M]")
    start = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return np.asarray((day.astype("datetime64[D]") - start).astype(np.int64) + number % 31)


def _numbers(ds: Days) -> Ints:
    """Days counted from 1970."""
    return np.asarray(ds.astype("datetime64[D]").astype(np.int64))


def long_gaps(ds: Days, longest: int) -> Bools:
    """Rows of one asset that come more than `longest` calendar days after the row before, [rows]."""
    days = ds.astype("datetime64[D]").astype(np.int64)
    return np.concatenate([[False], np.diff(days) > longest]) if len(days) else np.zeros(0, bool)


def refuse_gaps(ds: Days, gaps: Bools, place: Callable[[int], str]) -> None:
    """Refuse a table with a hole that no weekend or ordinary holiday explains.

    Raises:
        TimeStampError: for the first; names row, length and remedy.
    """
    if gaps.any():
        row = int(np.argmax(gaps))
        days = int((ds[row] - ds[row - 1]).astype("timedelta64[D]").astype(np.int64))
        raise TimeStampError(
            f"{place(row)}: {days} days after the row before; add the trading days that are missing, name the days on "
            "which the exchange was closed (closed), or use gaps='mask', which leaves out the return across the gap"
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
