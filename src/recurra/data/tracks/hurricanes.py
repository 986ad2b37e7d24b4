"""Storm tracks: the HURDAT2 text that NOAA publishes, and the same fixes as a table with a column each."""

from os import PathLike
from pathlib import Path

import numpy as np

from recurra.data._delimited import read_delimited
from recurra.data.tracks.columns import TrackColumns, TrackPolicy
from recurra.data.tracks.table import TrackTable
from recurra.errors import TableError

COLUMNS = TrackColumns(
    object="storm", time="time", x="longitude", y="latitude", features=("wind", "pressure"), geographic=True
)
"""Wind in knots, pressure in hectopascals, both empty where they were not measured."""
UNKNOWN = {"-99", "-999", "-99.0", "-999.0", "", "NA"}
SYNOPTIC_HOURS = ("00", "06", "12", "18")


def read_hurdat(path: str | PathLike[str], synoptic: bool = True) -> TrackTable:
    """Read HURDAT2 text, or a CSV with the columns Key, DateTime, Lat, Lon, Wind and Pressure.

    Args:
        path: a .txt file as NOAA publishes it, or .csv or .csv.gz.
        synoptic: only the fixes of 00, 06, 12 and 18 hours, which are evenly spaced; the others mark landfalls and
            the like.

    Returns:
        The tracks in kilometres. A fix without a position is left out; a longitude beyond -180 is wrapped.

    Raises:
        TableError: for a file that is neither; names line and remedy.
    """
    place = Path(path)
    columns = _read_text(place) if place.suffix.lower() == ".txt" else _read_csv(place)
    if synoptic:
        kept = [text[11:13] in SYNOPTIC_HOURS and text[14:16] == "00" for text in columns["time"]]
        columns = {
            name: [value for value, keep in zip(values, kept, strict=True) if keep] for name, values in columns.items()
        }
    if not columns["time"]:
        raise TableError(f"{place} holds no fix; give HURDAT2 text, or the CSV that the catalogue describes")
    return TrackTable.from_table(columns, columns=COLUMNS, policy=TrackPolicy(missing="skip"), unit="km")


def _read_csv(path: Path) -> dict[str, list[str]]:
    found = read_delimited(path, ",")
    published = {"storm": "Key", "time": "DateTime", "longitude": "Lon", "latitude": "Lat"}
    published |= {"wind": "Wind", "pressure": "Pressure"}
    absent = [name for name in published.values() if name not in found]
    if absent:
        raise TableError(f"{path}: there is no column {absent[0]!r}; it needs {', '.join(published.values())}")
    columns = {name: found[published[name]] for name in published}
    for name in ("longitude", "latitude", "wind", "pressure"):
        columns[name] = [_known(text.strip()) for text in columns[name]]
    return columns


def _read_text(path: Path) -> dict[str, list[str]]:
    """HURDAT2: a header line of storm, name and count, then as many lines of fixes."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path} cannot be read: {error}; check the path") from error
    columns: dict[str, list[str]] = {n: [] for n in ("storm", "time", "longitude", "latitude", "wind", "pressure")}
    storm, left = "", 0
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.split(",")]
        if not line.strip():
            continue
        if left == 0:
            storm, left = cells[0], _count(cells, path, number)
            continue
        left -= 1
        for name, text in zip(columns, (storm, *_fix(cells, path, number)), strict=True):
            columns[name].append(text)
    if left:
        raise TableError(f"{path}: the last storm, {storm}, lacks {left} of its fixes; take the file anew")
    return columns


def _count(cells: list[str], path: Path, number: int) -> int:
    if len(cells) < 3 or not cells[2].isdecimal() or not len(cells[0]) == 8:
        raise TableError(f"{path}, line {number}: expected a storm's header such as 'AL092021, IDA, 40,'")
    return int(cells[2])


def _fix(cells: list[str], path: Path, number: int) -> tuple[str, str, str, str, str]:
    """Time, longitude, latitude, wind and pressure of a line of fixes."""
    try:
        day, hour, latitude, longitude, wind, pressure = cells[0], cells[1], *cells[4:8]
        date = f"{day[:4]}-{day[4:6]}-{day[6:8]} {hour[:2]}:{hour[2:4]}:00"
        np.datetime64(date)
        north, east = (_degrees(text, ends) for text, ends in ((latitude, "NS"), (longitude, "EW")))
    except ValueError:
        raise TableError(
            f"{path}, line {number}: expected a fix such as '20210826, 1200,  , TD, 16.5N,  78.9W,  30, 1006'"
        ) from None
    return date, east, north, _known(wind), _known(pressure)


def _known(text: str) -> str:
    return "" if text in UNKNOWN else text


def _degrees(text: str, ends: str) -> str:
    """16.5N or 78.9W with a sign, as text."""
    if text[-1:] not in ends:
        raise ValueError(text)
    return str(float(text[:-1]) * (1.0 if text[-1] == ends[0] else -1.0))
