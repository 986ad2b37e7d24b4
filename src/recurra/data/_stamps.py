"""The time stamp column: from whatever a table holds to datetime64[us] in UTC, or to an integer index."""

from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data._date_texts import parse_date_texts
from recurra.data._places import Places
from recurra.data.readers import RawColumn, is_whole_number
from recurra.errors import TimeStampError

Stamps = npt.NDArray[Any]

_DATES = (date, datetime, np.datetime64)


def parse_stamps(
    column: RawColumn, name: str, places: Places, *, date_format: str | None = None, plain_index: bool = False
) -> tuple[Stamps, str | None]:
    """A column of time stamps.

    Args:
        column: dates of any kind, text, or whole numbers.
        name: its name, for errors.
        places: row names, for errors.
        date_format: how text is written (`datetime.strptime`), or None to find out.
        plain_index: take whole numbers as an index also where they look like dates (20210131).

    Returns:
        [rows] datetime64[us] (UTC where there is a zone) or int64, and the time zone or None.

    Raises:
        TimeStampError: for a missing stamp, one that is no date, an ambiguous column, or mixed time zones.
    """
    values = column.values
    if values.dtype.kind == "f":
        values = _whole(values, name, places)
    if values.dtype.kind == "b":
        raise TimeStampError(f"column {name!r} holds truth values where time stamps belong; name another column")
    if values.dtype.kind == "M":
        return _microseconds(values, name, places), column.time_zone
    if values.dtype.kind in "iu" and date_format is None:
        return _index(values.astype(np.int64), name, places, plain_index), None
    cells = values.tolist()
    if None in cells or "" in cells:
        raise _missing(min(cells.index(cell) for cell in (None, "") if cell in cells), name, places)
    if date_format is not None and set(map(type, cells)) <= {int}:
        cells = list(map(str, cells))
    if set(map(type, cells)) <= {str}:
        if date_format is None and is_whole_number(cells[0]) and all(map(is_whole_number, cells)):
            return _index(np.array(list(map(int, cells)), np.int64), name, places, plain_index), None
        return parse_date_texts(cells, name, places, date_format)
    if all(is_whole_number(cell) and not isinstance(cell, str) for cell in cells):
        return _index(np.array(cells, np.int64), name, places, plain_index), None
    odd = next((i for i, cell in enumerate(cells) if not isinstance(cell, _DATES)), None)
    if odd is not None:
        raise TimeStampError(
            f"{places.at(odd, name)}: {cells[odd]!r} is not a date; give every row the same kind of stamp"
        )
    return _dates(cells, name, places)


def _microseconds(values: Stamps, name: str, places: Places) -> Stamps:
    if np.isnat(values).any():
        raise _missing(int(np.argmax(np.isnat(values))), name, places)
    stamps = values.astype("datetime64[us]")
    if np.datetime_data(values.dtype)[0] in ("ns", "ps", "fs", "as") and np.any(stamps != values):
        at = int(np.argmax(stamps != values))
        raise TimeStampError(f"{places.at(at, name)}: {values[at]} is finer than a microsecond; round the time stamps")
    return stamps


def _whole(values: Stamps, name: str, places: Places) -> Stamps:
    wrong = ~(np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) < 2**53))
    if wrong.any():
        at = int(np.argmax(wrong))
        if np.isnan(values[at]):
            raise _missing(at, name, places)
        raise TimeStampError(
            f"{places.at(at, name)}: {values[at]:g} is not a whole number; number the rows, or use dates"
        )
    return values.astype(np.int64)


def _index(values: npt.NDArray[np.int64], name: str, places: Places, plain: bool) -> Stamps:
    year, month, day = values // 10_000, values // 100 % 100, values % 100
    as_dates = (year >= 1900) & (year <= 2100) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    if not plain and len(values) > 1 and as_dates.all():
        raise TimeStampError(
            f"{places.at(0, name)}: {values[0]} looks like a date; give date_format='%Y%m%d', "
            "or freq='1' to take the stamps as plain numbers"
        )
    return values


def _dates(cells: list[Any], name: str, places: Places) -> tuple[Stamps, str | None]:
    """Python's own date and datetime objects."""
    zones = [getattr(cell, "tzinfo", None) for cell in cells]
    names = {zone: _zone_name(zone, cells[zones.index(zone)]) for zone in set(zones)}
    if len(set(names.values())) > 1:
        at = next(i for i, zone in enumerate(zones) if names[zone] != names[zones[0]])
        raise TimeStampError(
            f"{places.at(at, name)}: time zone {names[zones[at]] or 'none'} after {names[zones[0]] or 'none'}; "
            "bring the column to one time zone"
        )
    zone = names[zones[0]]
    if zone is not None:
        cells = [cell.astimezone(timezone.utc).replace(tzinfo=None) for cell in cells]
    return _microseconds(np.array(cells, "datetime64[us]"), name, places), zone


def _zone_name(zone: tzinfo | None, cell: Any) -> str | None:
    """The name by which `time_zones` knows a zone; a nameless one by its offset."""
    if zone is None:
        return None
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)
    if isinstance(name, str):
        return name
    offset = cell.utcoffset()
    return "UTC" if offset == timedelta(0) else f"{cell:%z}"[:3] + ":" + f"{cell:%z}"[3:5]


def _missing(index: int, name: str, places: Places) -> TimeStampError:
    return TimeStampError(f"{places.at(index, name)}: the time stamp is missing; add it or remove the row")
