"""Arithmetic of calendar steps on wall-clock stamps: moving by n steps, and counting steps between two stamps."""

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

# datetime64[us] or int64; a union of the two cannot be subtracted under mypy
Stamps: TypeAlias = npt.NDArray[Any]
Dates: TypeAlias = npt.NDArray[np.datetime64]
Ints = npt.NDArray[np.int64]
Unit = Literal["fixed", "business", "months", "index"]

_EPOCH = np.datetime64("1970-01-01", "D")


def shift(ds: Stamps, n: Ints, unit: Unit, step: int, day: int) -> Stamps:
    """The stamps `n` steps after `ds` (before, where n < 0); the two broadcast.

    Args:
        ds: stamps on the grid of the frequency, datetime64[us], or int64 for unit "index".
        n: number of steps.
        unit: what a step is made of.
        step: its size: microseconds, business days, months, or index counts.
        day: for months, the day of the month (-1 the last one).
    """
    if unit == "index":
        return np.asarray(ds + n * np.int64(step))
    if unit == "fixed":
        return np.asarray(ds + (n * np.int64(step)).astype("timedelta64[us]"))
    dates = ds.astype("datetime64[D]")
    time_of_day = ds - dates
    if unit == "business":
        moved = np.busday_offset(dates, n * step, roll="forward")
    else:
        months = dates.astype("datetime64[M]") + (n * step).astype("timedelta64[M]")
        moved = _in_month(months, day)
    return np.asarray(moved.astype("datetime64[us]") + time_of_day)


def position(ds: Stamps, unit: Unit, step: int) -> Ints:
    """How many base units (microseconds, business days, months, counts) lie before each stamp, over `step`, floored."""
    if unit == "index":
        return np.asarray(ds, np.int64) // step
    if unit == "fixed":
        return np.asarray(ds.astype(np.int64) // step)
    if unit == "business":
        return np.asarray(np.busday_count(_EPOCH, ds.astype("datetime64[D]")), np.int64) // step
    return np.asarray(ds.astype("datetime64[M]").astype(np.int64) // step, np.int64)


def count(a: Stamps, b: Stamps, unit: Unit, step: int, day: int) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Whole steps from a to b, rounded to earlier, and whether b lies exactly there."""
    if unit in ("fixed", "index"):
        steps = (b - a).astype(np.int64) // step
    else:
        steps = (position(b, unit, 1) - position(a, unit, 1)) // step
    landed = shift(a, steps, unit, step, day)
    return steps - (landed > b), landed == b


def day_of_month(ds: Dates) -> Ints:
    """1 ... 31."""
    days = ds.astype("datetime64[D]") - ds.astype("datetime64[M]").astype("datetime64[D]")
    return np.asarray(days.astype(np.int64) + 1)


def is_month_end(ds: Dates) -> npt.NDArray[np.bool_]:
    """Whether each stamp falls on the last day of its month."""
    dates = ds.astype("datetime64[D]")
    return np.asarray((dates + np.timedelta64(1, "D")).astype("datetime64[M]") != dates.astype("datetime64[M]"))


def weekday(ds: Dates) -> Ints:
    """0 Monday ... 6 Sunday."""
    return (ds.astype("datetime64[D]").astype(np.int64) + 3) % 7


def _in_month(months: Dates, day: int) -> Dates:
    if day == -1:
        return np.asarray((months + np.timedelta64(1, "M")).astype("datetime64[D]") + np.timedelta64(-1, "D"))
    return np.asarray(months.astype("datetime64[D]") + np.timedelta64(day - 1, "D"))
