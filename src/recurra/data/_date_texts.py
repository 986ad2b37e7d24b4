"""Dates written as text: ISO 8601, numeric dates of either order, English month names, or a format that is given."""

import re
from datetime import datetime, timezone
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recurra.data._places import Places
from recurra.errors import ConfigError, TimeStampError

Stamps = npt.NDArray[np.datetime64]
Ints = npt.NDArray[np.int64]

_TIME = r"(?:(?:\s*T\s*|,?\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?\s*([AaPp][Mm])?)?"
_ZONED: Final = re.compile(r"(.*\d:\d\d.*?)\s?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)")
_NUMERIC: Final = re.compile(r"(\d{1,4})([/.\-])(\d{1,2})\2(\d{1,4})" + _TIME)
_QUARTER: Final = re.compile(r"(\d{4})[- ]?[Qq]([1-4])")
_DAY_NAME_YEAR: Final = re.compile(r"(\d{1,2})[ \-]([A-Za-z]{3,9})\.?[ \-,]+(\d{4})" + _TIME)
_NAME_DAY_YEAR: Final = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})" + _TIME)
_NAME_YEAR: Final = re.compile(r"([A-Za-z]{3,9})\.?[ \-](\d{4})")
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip


def parse_date_texts(texts: list[str], name: str, places: Places, date_format: str | None) -> tuple[Stamps, str | None]:
    """A column of dates written as text.

    Args:
        texts: one per row, none empty.
        name: name of the column, for errors.
        places: row names, for errors.
        date_format: as in `datetime.strptime`, or None: then the whole column settles the order of day and month.

    Returns:
        [rows] datetime64[us], UTC where the texts carry an offset, and the time zone or None.

    Raises:
        TimeStampError: for a text that is no date, a column that reads both day first and month first, or offsets
            that differ between rows.
    """
    distinct = list(dict.fromkeys(texts))
    column = _Texts([text.strip() for text in distinct], distinct, texts, name, places)
    stamps, zone = _formatted(column, date_format) if date_format is not None else _found_out(column)
    if len(distinct) == len(texts):
        return stamps, zone
    number = {text: i for i, text in enumerate(distinct)}
    return stamps[np.fromiter((number[text] for text in texts), np.int64, len(texts))], zone


class _Texts:
    """The distinct texts of a column, and how to blame one of them."""

    def __init__(self, values: list[str], distinct: list[str], texts: list[str], name: str, places: Places) -> None:
        self.values, self._distinct, self._texts, self._name, self._places = values, distinct, texts, name, places

    def blame(self, index: int, problem: str) -> TimeStampError:
        text = self._distinct[index]
        return TimeStampError(f"{self._places.at(self._texts.index(text), self._name)}: {text!r} {problem}")


def _found_out(column: _Texts) -> tuple[Stamps, str | None]:
    values = column.values
    joined = "\n".join(values)
    if not re.search(r"[^0-9:T.\n \-]", joined) and joined.count("-") in (len(values), 2 * len(values)):
        try:
            if min(map(len, values)) >= 7:
                return np.array(values, "datetime64[us]"), None
        except ValueError:
            pass
    zoned = [_ZONED.fullmatch(value) for value in values]
    if any(zoned):
        suffixes = [_offset_name(match[2]) if match else None for match in zoned]
        if len(set(suffixes)) > 1:
            at = next(i for i, suffix in enumerate(suffixes) if suffix != suffixes[0])
            raise column.blame(
                at,
                f"has time zone {suffixes[at] or 'none'} after {suffixes[0] or 'none'}; "
                "bring the column to one time zone",
            )
        column.values = [match[1].strip() for match in zoned if match]
        wall, _ = _found_out(column)
        return wall - _offset(suffixes[0] or "UTC"), suffixes[0]
    return _by_pattern(column), None


def _by_pattern(column: _Texts) -> Stamps:
    """The first pattern that fits the first text must fit all of them."""
    for pattern, read in (
        (_NUMERIC, _numeric),
        (_QUARTER, _quarters),
        (_DAY_NAME_YEAR, _day_name_year),
        (_NAME_DAY_YEAR, _name_day_year),
        (_NAME_YEAR, _name_year),
    ):
        if pattern.fullmatch(column.values[0]):
            found = [pattern.fullmatch(value) for value in column.values]
            if None in found:
                raise column.blame(found.index(None), "is not a date written like the first row's; correct it")
            return read(column, [match.groups() for match in found if match])
    raise column.blame(
        0, "is not a date that can be read safely; write YYYY-MM-DD, or give date_format='%d %m %y' or the like"
    )


def _numeric(column: _Texts, groups: list[tuple[str | Any, ...]]) -> Stamps:
    first, _, middle, last = (list(part) for part in list(zip(*groups, strict=True))[:4])
    time_of_day = _times(column, [group[4:] for group in groups])
    widths = set(map(len, first)), set(map(len, last))
    a, b, c = (np.array(part, np.int64) for part in (first, middle, last))
    if widths[0] == {4}:
        dates, valid = _dates(a, b, c)
        _refuse_invalid(column, valid)
        return dates + time_of_day
    if widths[1] != {4}:
        at = next(i for i, text in enumerate(last) if len(text) != 4)
        raise column.blame(at, "has no four-digit year; give date_format='%d/%m/%y' or the like")
    day_first, day_first_valid = _dates(c, b, a)
    month_first, month_first_valid = _dates(c, a, b)
    if day_first_valid.all() and month_first_valid.all() and np.any(day_first != month_first):
        at = int(np.argmax(day_first != month_first))
        mark = groups[0][1]
        raise column.blame(
            at,
            "may be day first or month first, and no row settles it; "
            f"give date_format='%d{mark}%m{mark}%Y' or date_format='%m{mark}%d{mark}%Y'",
        )
    use_day_first = day_first_valid.sum() >= month_first_valid.sum()
    _refuse_invalid(column, day_first_valid if use_day_first else month_first_valid)
    return (day_first if use_day_first else month_first) + time_of_day


def _quarters(_: _Texts, groups: list[tuple[str | Any, ...]]) -> Stamps:
    year, quarter = np.array(groups, np.int64).T
    return _dates(year, 3 * quarter - 2, np.ones_like(year))[0]


def _day_name_year(column: _Texts, groups: list[tuple[str | Any, ...]]) -> Stamps:
    return _named(column, [(g[2], g[1], g[0]) for g in groups], [g[3:] for g in groups])


def _name_day_year(column: _Texts, groups: list[tuple[str | Any, ...]]) -> Stamps:
    return _named(column, [(g[2], g[0], g[1]) for g in groups], [g[3:] for g in groups])


def _name_year(column: _Texts, groups: list[tuple[str | Any, ...]]) -> Stamps:
    return _named(column, [(g[1], g[0], "1") for g in groups], [])


def _named(column: _Texts, parts: list[tuple[str, str, str]], times: list[tuple[str | Any, ...]]) -> Stamps:
    """Year, month name and day."""
    months = [_month(name) for _, name, _ in parts]
    if 0 in months:
        raise column.blame(months.index(0), "names no month; use English month names")
    year, day = np.array([p[0] for p in parts], np.int64), np.array([p[2] for p in parts], np.int64)
    dates, valid = _dates(year, np.array(months, np.int64), day)
    _refuse_invalid(column, valid)
    return dates + _times(column, times) if times else dates


def _month(name: str) -> int:
    """1 ... 12 for a month name or its first three or more letters, else 0."""
    return next((i for i, month in enumerate(_MONTHS, 1) if month.startswith(name.lower().rstrip("."))), 0)


def _dates(year: Ints, month: Ints, day: Ints) -> tuple[Stamps, npt.NDArray[np.bool_]]:
    """Midnight of each date, and whether it exists."""
    months = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1).astype("timedelta64[M]")
    dates = months.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    exists = (month >= 1) & (month <= 12) & (day >= 1) & (dates.astype("datetime64[M]") == months)
    return dates.astype("datetime64[us]"), exists


def _times(column: _Texts, groups: list[tuple[str | Any, ...]]) -> npt.NDArray[np.timedelta64]:
    """Time of day from (hour, minute, second, fraction, am or pm), each of which may be missing."""
    if not any(group[0] for group in groups):
        return np.zeros(len(groups), "timedelta64[us]")
    whole = np.array([[int(part or 0) for part in group[:3]] for group in groups], np.int64)
    micro = np.array([int((group[3] or "0").ljust(6, "0")) for group in groups], np.int64)
    half = np.array([(group[4] or "").lower() for group in groups])
    hour = np.where(half == "", whole[:, 0], whole[:, 0] % 12 + 12 * (half == "pm"))
    valid = (hour < 24) & (whole[:, 1] < 60) & (whole[:, 2] < 60) & ((half == "") | (whole[:, 0] <= 12))
    _refuse_invalid(column, valid)
    seconds = (hour * 60 + whole[:, 1]) * 60 + whole[:, 2]
    return (seconds * 1_000_000 + micro).astype("timedelta64[us]")


def _refuse_invalid(column: _Texts, valid: npt.NDArray[np.bool_]) -> None:
    if not valid.all():
        raise column.blame(
            int(np.argmin(valid)), "is not a date that exists, in the order of the other rows; correct it"
        )


def _formatted(column: _Texts, date_format: str) -> tuple[Stamps, str | None]:
    """Dates in a format that is given."""
    moments = []
    for i, value in enumerate(column.values):
        try:
            moments.append(datetime.strptime(value, date_format))
        except ValueError as error:
            raise column.blame(i, f"is not written as date_format={date_format!r}; correct one of them") from error
        except re.error as error:
            raise ConfigError(f"date_format={date_format!r} cannot be used: {error}") from error
    offsets = [f"{moment:%z}" for moment in moments]
    if len(set(offsets)) > 1:
        at = next(i for i, offset in enumerate(offsets) if offset != offsets[0])
        raise column.blame(at, "has another time zone than the first row; bring the column to one time zone")
    if not offsets[0]:
        return np.array(moments, "datetime64[us]"), None
    utc = [moment.astimezone(timezone.utc).replace(tzinfo=None) for moment in moments]
    return np.array(utc, "datetime64[us]"), _offset_name(offsets[0])


def _offset_name(suffix: str) -> str:
    """A suffix as "UTC" or "+02:00"."""
    digits = suffix[1:].replace(":", "").ljust(4, "0")
    return "UTC" if suffix in ("Z", "z", "UTC") or not digits.strip("0") else f"{suffix[0]}{digits[:2]}:{digits[2:]}"


def _offset(name: str) -> np.timedelta64:
    if name == "UTC":
        return np.timedelta64(0, "m")
    minutes = int(name[1:3]) * 60 + int(name[4:6])
    return np.timedelta64(-minutes if name[0] == "-" else minutes, "m")
