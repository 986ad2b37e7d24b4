"""Calendar features of time stamps: known for every future row, as sine and cosine or as categories."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recurra.data import _steps
from recurra.data.frequency import DAY_US, Frequency, as_stamps
from recurra.data.time_zones import to_wall
from recurra.errors import ConfigError, TimeStampError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SIZES: Final = {"minute": 60, "hour": 24, "weekday": 7, "monthday": 31, "week": 53, "yearday": 366, "month": 12}
NAMES: Final = tuple(_SIZES)


def calendar_columns(names: Sequence[str]) -> tuple[str, ...]:
    """The columns that `calendar_features` gives: each name's sine and cosine.

    Raises:
        ConfigError: for an unknown name.

    >>> calendar_columns(("hour", "weekday_sin"))
    ('hour_sin', 'hour_cos', 'weekday_sin')
    """
    columns: list[str] = []
    for name in names:
        base, _, wave = name.partition("_")
        if base not in _SIZES or wave not in ("", "sin", "cos"):
            raise ConfigError(f"unknown calendar feature {name!r}; use any of {', '.join(map(repr, NAMES))}")
        columns += [name] if wave else [f"{base}_sin", f"{base}_cos"]
    return tuple(columns)


def calendar_features(ds: npt.ArrayLike, names: Sequence[str], *, time_zone: str | None = None) -> Floats:
    """Sines and cosines of the place within the hour, day, week, month or year.

    Args:
        ds: stamps, any shape [...]; UTC if `time_zone` is given.
        names: any of "minute", "hour" (with its minutes), "weekday", "monthday", "week" (ISO), "yearday", "month"; each
            gives a sine and a cosine, or only one of them as "hour_sin".
        time_zone: zone whose wall clock counts.

    Returns:
        [..., F], float64 between -1 and 1, F = len(calendar_columns(names)).

    Raises:
        ConfigError: for an unknown name.
        TimeStampError: for integer stamps, which have no calendar.
    """
    columns = calendar_columns(names)
    wall = _wall(ds, time_zone)
    features = np.empty((*wall.shape, len(columns)))
    angles: dict[str, Floats] = {}
    for k, column in enumerate(columns):
        base, _, wave = column.partition("_")
        if base not in angles:
            angles[base] = 2 * np.pi * _phase(wall, base)
        features[..., k] = np.sin(angles[base]) if wave == "sin" else np.cos(angles[base])
    return features


def calendar_categories(ds: npt.ArrayLike, names: Sequence[str], *, time_zone: str | None = None) -> Ints:
    """Whole numbers from 0: minute, hour, weekday (0 Monday), monthday, ISO week, yearday, month.

    Args:
        ds: stamps, any shape [...].
        names: as for `calendar_features`, without "_sin" and "_cos".
        time_zone: zone whose wall clock counts.

    Returns:
        [..., len(names)], int64, each below `calendar_size(name)`.

    Raises:
        ConfigError, TimeStampError: as for `calendar_features`.
    """
    wall = _wall(ds, time_zone)
    for name in names:
        calendar_size(name)
    parts = [_category(wall, name) for name in names]
    return np.stack(parts, axis=-1) if parts else np.empty((*wall.shape, 0), np.int64)


def calendar_size(name: str) -> int:
    """How many categories a calendar feature has.

    Raises:
        ConfigError: for an unknown name.
    """
    if name not in _SIZES:
        raise ConfigError(f"unknown calendar feature {name!r}; use any of {', '.join(map(repr, NAMES))}")
    return _SIZES[name]


def default_calendar(frequency: Frequency) -> tuple[str, ...]:
    """The features that make sense at a frequency; none for an integer index and for years.

    >>> default_calendar(Frequency.parse("D"))
    ('weekday', 'yearday')
    """
    if frequency.is_index:
        return ()
    if frequency.unit == "months":
        return ("month",) if frequency.step % 12 else ()
    if frequency.unit == "business" or DAY_US <= frequency.step < 7 * DAY_US:
        return ("weekday", "yearday")
    return ("yearday",) if frequency.step >= 7 * DAY_US else ("hour", "weekday", "yearday")


def _wall(ds: npt.ArrayLike, time_zone: str | None) -> npt.NDArray[np.datetime64]:
    stamps = as_stamps(ds)
    if stamps.dtype.kind != "M":
        raise TimeStampError("integer time stamps have no calendar; use no calendar features, or dates")
    return to_wall(stamps, time_zone)


def _phase(wall: npt.NDArray[np.datetime64], name: str) -> Any:
    """The place within the cycle, from 0 to below 1."""
    dates = wall.astype("datetime64[D]")
    if name in ("minute", "hour"):
        whole = DAY_US if name == "hour" else DAY_US // 24
        return (wall - dates).astype(np.int64) % whole / whole
    if name == "monthday":
        months = dates.astype("datetime64[M]")
        begin = months.astype("datetime64[D]")
        length = ((months + 1).astype("datetime64[D]") - begin).astype(np.int64)
        return (dates - begin).astype(np.int64) / length
    if name == "yearday":
        years = dates.astype("datetime64[Y]")
        begin = years.astype("datetime64[D]")
        length = ((years + 1).astype("datetime64[D]") - begin).astype(np.int64)
        return (dates - begin).astype(np.int64) / length
    return _category(wall, name) / _SIZES[name]


def _category(wall: npt.NDArray[np.datetime64], name: str) -> Ints:
    dates = wall.astype("datetime64[D]")
    if name == "weekday":
        return _steps.weekday(dates)
    months, years = (dates.astype(f"datetime64[{unit}]") for unit in "MY")
    if name == "month":
        return np.asarray((months - years.astype("datetime64[M]")).astype(np.int64))
    if name == "monthday":
        return np.asarray((dates - months.astype("datetime64[D]")).astype(np.int64))
    if name == "yearday":
        return np.asarray((dates - years.astype("datetime64[D]")).astype(np.int64))
    if name == "week":  # ISO 8601: the week belongs to the year of its Thursday
        thursday = dates + (3 - _steps.weekday(dates)).astype("timedelta64[D]")
        first = thursday.astype("datetime64[Y]").astype("datetime64[D]")
        return np.asarray((thursday - first).astype(np.int64) // 7)
    minutes = (wall - dates).astype(np.int64) // 60_000_000
    return np.asarray(minutes // 60 if name == "hour" else minutes % 60)
