"""From a raw table to checked, sorted fixes: the steps behind `TrackTable.from_table`."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data._build import read_owners, require_column
from recurra.data._numbers import parse_numbers, reads_as_number, refuse_missing, refuse_unusable
from recurra.data._places import Places, plain
from recurra.data._stamps import parse_stamps
from recurra.data.readers import RawColumn, RawTable
from recurra.data.tracks.columns import TrackColumns, TrackPolicy
from recurra.data.tracks.geometry import wrap_longitude
from recurra.errors import BadValueError, TableError, TimeStampError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fixes:
    """The rows of a table of tracks, track after track once sorted.

    Attributes:
        ids: distinct objects, in order of first appearance.
        codes: object of each row as an index into `ids`, [rows].
        time: seconds, [rows].
        position: [rows, 2].
        features: [rows, F], NaN where missing.
        scene: number of the scene of each row, [rows].
        scene_names: name of each scene, by number.
        file_rows: row numbers as the user sees them, from 1, [rows].
        stamped: whether times are dates, as seconds since 1970.
        time_zone: zone of the dates, which are UTC, or None.
    """

    ids: tuple[str | int, ...]
    codes: Ints
    time: Floats
    position: Floats
    features: Floats
    scene: Ints
    scene_names: tuple[str | int, ...]
    file_rows: Ints
    stamped: bool = False
    time_zone: str | None = None

    @property
    def offsets(self) -> Ints:
        """Where each track begins, and the end, [N + 1]; for sorted rows."""
        return np.searchsorted(self.codes, np.arange(len(self.ids) + 1)).astype(np.int64)

    def take(self, chosen: npt.NDArray[Any]) -> "Fixes":
        """The same rows in another order, or some of them."""
        return replace(
            self, codes=self.codes[chosen], time=self.time[chosen], position=self.position[chosen],
            features=self.features[chosen], scene=self.scene[chosen], file_rows=self.file_rows[chosen],
        )  # fmt: skip


def build(raw: RawTable, columns: TrackColumns, policy: TrackPolicy) -> Fixes:
    """Checked fixes, track after track, times strictly increasing.

    Raises:
        TableError: one of its leaves for every blemish that the policy does not allow.
    """
    wanted = (columns.object, columns.time, columns.x, columns.y, columns.scene, *columns.features)
    for name in wanted if raw.n_rows or raw.names else ():
        if name is not None:
            require_column(raw, name, "a table of one object give object=None" if name == columns.object else "")
    if raw.n_rows == 0:
        raise TableError("the table has no rows; give the fixes of at least one object")
    fixes = _read(raw, columns, policy)
    fixes = _with_positions(fixes, columns, policy)
    fixes = _sorted(fixes, columns, policy)
    _refuse_two_scenes(fixes, columns)
    return fixes


def _read(raw: RawTable, columns: TrackColumns, policy: TrackPolicy) -> Fixes:
    """All columns as arrays, in file order."""
    ids, codes = read_owners(raw, columns.object, "object", "object")
    places = Places(None if columns.object is None else ids, codes, noun="object")
    time, stamped, zone = _read_times(raw.load(columns.time), columns, places)
    numbers = {}
    for name in (columns.x, columns.y, *columns.features):
        numbers[name] = parse_numbers(raw.load(name), name, places)
        refuse_unusable(numbers[name], name, places)
    scene_names, scene = read_owners(raw, columns.scene, "scene", "scene")
    if policy.missing == "refuse":
        for name in (columns.x, columns.y):
            refuse_missing(numbers[name], name, places, "use missing='skip' to leave the fix out, or fill it in")
    features = np.stack([numbers[name] for name in columns.features], -1) if columns.features else None
    return Fixes(
        ids, codes, time, np.stack([numbers[columns.x], numbers[columns.y]], -1),
        np.zeros((raw.n_rows, 0)) if features is None else features, scene, scene_names,
        np.arange(1, raw.n_rows + 1), stamped, zone,
    )  # fmt: skip


def _read_times(column: RawColumn, columns: TrackColumns, places: Places) -> tuple[Floats, bool, str | None]:
    """Times in seconds, whether they are dates, and their time zone."""
    kind = column.values.dtype.kind
    numeric = kind in "iuf" or (kind == "O" and columns.date_format is None and _all_numbers(column.values))
    if numeric:
        values = parse_numbers(column, columns.time, places)
        wrong = ~np.isfinite(values)
        if wrong.any():
            at = int(np.argmax(wrong))
            raise TimeStampError(f"{places.at(at, columns.time)}: the time is missing; add it or remove the row")
        return values * columns.seconds_per_unit, False, None
    stamps, zone = parse_stamps(column, columns.time, places, date_format=columns.date_format)
    return stamps.astype("datetime64[us]").astype(np.int64) / 1e6, True, zone


def _all_numbers(values: npt.NDArray[np.object_]) -> bool:
    """Whether the known cells read as numbers; only a few are tried where the first is none."""
    return reads_as_number(values[0]) and all(reads_as_number(cell) for cell in values)


def _with_positions(fixes: Fixes, columns: TrackColumns, policy: TrackPolicy) -> Fixes:
    """Without the rows that have no position; on the globe with longitudes from -180 to 180."""
    known = np.asarray(~np.isnan(fixes.position).any(axis=1))
    if not known.all() and policy.missing == "skip":
        fixes = fixes.take(known)
        if not len(fixes.time):
            raise TableError("no row of the table has a position; give the fixes of at least one object")
        present, codes = np.unique(fixes.codes, return_inverse=True)
        fixes = replace(fixes, ids=tuple(fixes.ids[i] for i in present), codes=codes.astype(np.int64))
    if columns.geographic:
        _refuse_off_globe(fixes, columns)
        wrapped = np.stack([wrap_longitude(fixes.position[:, 0]), fixes.position[:, 1]], -1)
        fixes = replace(fixes, position=wrapped)
    return fixes


def _refuse_off_globe(fixes: Fixes, columns: TrackColumns) -> None:
    for axis, name, most in ((1, columns.y, 90.0), (0, columns.x, 360.0)):
        beyond = np.abs(fixes.position[:, axis]) > most
        if beyond.any():
            at = int(np.argmax(beyond))
            what = "latitude" if axis else "longitude"
            raise BadValueError(
                f"{_place(fixes, at, name)}: {fixes.position[at, axis]:g} is no {what}, which goes from -{most:g} to "
                f"{most:g} degrees; correct it, or look whether x (longitude) and y (latitude) are the wrong way round"
            )


def _sorted(fixes: Fixes, columns: TrackColumns, policy: TrackPolicy) -> Fixes:
    """Track after track, times strictly increasing."""
    fixes = fixes.take(np.argsort(fixes.codes, kind="stable"))
    back = _pairs(fixes, np.less)
    if back.any() and policy.unsorted == "refuse":
        at = int(np.argmax(back)) + 1
        raise TimeStampError(
            f"{_place(fixes, at, columns.time)}: its time lies before that of row {fixes.file_rows[at - 1]} of the "
            "same object; sort the table, or use unsorted='sort'"
        )
    if back.any():
        fixes = fixes.take(np.lexsort((fixes.time, fixes.codes)))
    same = _pairs(fixes, np.equal)
    if same.any() and policy.repeated == "refuse":
        at = int(np.argmax(same)) + 1
        raise TimeStampError(
            f"{_place(fixes, at, columns.time)}: this object has a fix at that time already, in row "
            f"{fixes.file_rows[at - 1]}; remove one of the two, or keep the first with repeated='first'"
        )
    return fixes.take(~np.concatenate([[False], same])) if same.any() else fixes


def _pairs(fixes: Fixes, compare: np.ufunc) -> npt.NDArray[np.bool_]:
    """Whether a row's time compares so with that of the row before it, of the same object, [rows - 1]."""
    related: npt.NDArray[np.bool_] = compare(fixes.time[1:], fixes.time[:-1])
    return np.asarray(related & (fixes.codes[1:] == fixes.codes[:-1]))


def _refuse_two_scenes(fixes: Fixes, columns: TrackColumns) -> None:
    moved = (fixes.scene[1:] != fixes.scene[:-1]) & (fixes.codes[1:] == fixes.codes[:-1])
    if moved.any():
        at = int(np.argmax(moved)) + 1
        raise TableError(
            f"{_place(fixes, at, str(columns.scene))}: this object was in another scene before (row "
            f"{fixes.file_rows[at - 1]}); give it another name in each scene"
        )


def _place(fixes: Fixes, at: int, column: str) -> str:
    return f"row {fixes.file_rows[at]}, column {column!r} (object {plain(fixes.ids[fixes.codes[at]])!r})"
