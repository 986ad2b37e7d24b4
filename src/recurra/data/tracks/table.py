"""The table of tracks that everything about moving objects computes from."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.readers import TableKind, read_columns
from recurra.data.tracks._build import build
from recurra.data.tracks.columns import TrackColumns, TrackPolicy
from recurra.data.tracks.geometry import LengthUnit, Space, space_of
from recurra.errors import BadValueError, TableError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ABSURD = 20.0
"""A step this many times as fast as the fastest of 99 in 100 is a jump, where no top speed is given."""


@dataclass(frozen=True)
class TrackTable:
    """Fixes of moving objects, track after track, ready to compute from.

    Guarantees, for every table made by `from_table` and by the methods here:

    * Tracks stand in order of first appearance, each in one piece, named once, each within one scene.
    * Within a track times increase strictly; steps may be uneven, and nothing is filled in.
    * Positions are finite; on the globe (longitude, latitude) in degrees with longitudes from -180 up to 180 and
      latitudes from -90 to 90.
    * Features are finite, or NaN where missing.
    * Nothing is written to after it is made: every method gives a new table.

    Attributes:
        ids: name of each object, [N].
        offsets: where each track begins, and the end, [N + 1].
        time: seconds (since 1970 for dates), [rows].
        position: [rows, 2].
        features: [rows, F].
        scene: number of the scene of each row, [rows].
        scene_names: name of each scene, by number.
        jumps: fixes that were reached absurdly fast, [rows].
        max_speed: what is faster is a jump, in units of length a second.
        columns, policy: how the table was read.
        kind: the kind of table to give back.
        stamped, time_zone: whether times are dates, and their zone.
        unit: of lengths on the globe.
        file_rows: row number of each row in the user's table, from 1; 0 for an inserted row; [rows].
    """

    ids: tuple[str | int, ...]
    offsets: Ints
    time: Floats
    position: Floats
    features: Floats
    scene: Ints
    scene_names: tuple[str | int, ...]
    jumps: Bools
    max_speed: float = np.inf
    columns: TrackColumns = field(default_factory=TrackColumns)
    policy: TrackPolicy = field(default_factory=TrackPolicy)
    kind: TableKind = "pandas"
    stamped: bool = False
    time_zone: str | None = None
    unit: LengthUnit = "km"
    file_rows: Ints | None = None

    @classmethod
    def from_table(
        cls,
        source: object,
        *,
        columns: TrackColumns | None = None,
        policy: TrackPolicy | None = None,
        unit: LengthUnit = "km",
    ) -> "TrackTable":
        """Read and check a table of fixes.

        Args:
            source: a path (.csv, .tsv, .parquet, .csv.gz, .tsv.gz), a pandas, polars, pyarrow or narwhals table, a
                mapping of columns, a sequence of rows, or a TrackTable, which is given back.
            columns: names of the columns.
            policy: what to do about blemishes; everything but a jump is refused by default.
            unit: "m" or "km", of lengths on the globe; a flat map has the unit of its own coordinates.

        Raises:
            MissingColumnError: for a column that is not there.
            BadValueError: for text, NaN or infinity where a number belongs, a latitude over 90, an object without a
                name, and a jump if jumps are refused; names row and column.
            TimeStampError: for times that are missing, unreadable, repeated or run backwards; names row and column.
            TableError: for a file or object that is no table, a table without rows, an object in two scenes.
        """
        if isinstance(source, TrackTable):
            return source
        columns, policy = columns or TrackColumns(), policy or TrackPolicy()
        raw = read_columns(source)
        rows = build(raw, columns, policy)
        table = cls(
            ids=rows.ids, offsets=rows.offsets, time=rows.time, position=rows.position, features=rows.features,
            scene=rows.scene, scene_names=rows.scene_names, jumps=np.zeros(len(rows.time), np.bool_),
            columns=columns, policy=policy, kind=raw.kind, stamped=rows.stamped, time_zone=rows.time_zone,
            unit=unit, file_rows=rows.file_rows,
        )  # fmt: skip
        speed = _speed(table)
        limit = policy.max_speed or _usual_limit(speed)
        return replace(table, jumps=_flagged(table, speed, limit), max_speed=limit)

    def __len__(self) -> int:
        return len(self.time)

    @property
    def n_tracks(self) -> int:
        """How many objects there are."""
        return len(self.ids)

    @property
    def lengths(self) -> Ints:
        """Fixes of each track, [N]."""
        return np.diff(self.offsets)

    @property
    def last_rows(self) -> Ints:
        """The last row of each track, [N]."""
        return self.offsets[1:] - 1

    @property
    def owner(self) -> Ints:
        """Index of the track that each row belongs to, [rows]."""
        return np.repeat(np.arange(self.n_tracks), self.lengths)

    @property
    def space(self) -> Space:
        """The space of the positions."""
        return space_of(self.columns.geographic, self.unit)

    @cached_property
    def first_of_track(self) -> Bools:
        """Whether a row is the first of its track, [rows]."""
        first = np.zeros(len(self), np.bool_)
        first[self.offsets[:-1]] = True
        return first

    @cached_property
    def elapsed(self) -> Floats:
        """Seconds since the fix before, [rows]; 0 at the first fix of a track."""
        return np.where(self.first_of_track, 0.0, np.diff(self.time, prepend=self.time[:1]))

    @cached_property
    def steps(self) -> Floats:
        """The way from the fix before, as seen where it ended, [rows, 2]; 0 at the first fix of a track."""
        before = np.concatenate([self.position[:1], self.position[:-1]])
        return np.where(self.first_of_track[:, None], 0.0, self.space.step(before, self.position))

    @cached_property
    def usual_step_s(self) -> float:
        """The middle one of the times between two fixes of an object, seconds.

        Raises:
            TableError: if no object has two fixes.
        """
        known = self.elapsed[~self.first_of_track]
        if not len(known):
            raise TableError(
                f"every object has one fix only (the first is {self.ids[0]!r}); a track needs at least two to have a "
                "velocity. Look whether the column of objects is the right one"
            )
        return float(np.median(known))

    def pieces(self, max_gap_s: float) -> Ints:
        """Number of the piece that each row belongs to, [rows]: a track is cut where a fix is long in coming.

        Args:
            max_gap_s: two fixes further apart than this many seconds begin a new piece. With `jumps="cut"` a jump
                begins one too.
        """
        begins = self.first_of_track | (self.elapsed > max_gap_s * (1.0 + 1e-9))
        if self.policy.jumps == "cut":
            begins = begins | self.jumps
        return np.cumsum(begins) - 1

    def select(self, tracks: npt.ArrayLike) -> "TrackTable":
        """The tracks at these indices, in this order, each at most once."""
        chosen = np.asarray(tracks, np.int64)
        if len(np.unique(chosen)) != len(chosen):
            raise TableError("a track is selected twice; a table names each object once")
        begin, lengths = self.offsets[:-1][chosen], self.lengths[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        rows = np.repeat(begin - offsets[:-1], lengths) + np.arange(offsets[-1])
        return self.rows(rows, tuple(self.ids[i] for i in chosen), offsets)

    def where(self, chosen: Bools) -> "TrackTable":
        """Only the rows where `chosen` [rows] is true; an object without rows is dropped."""
        owner = self.owner[chosen]
        present = np.unique(owner)
        offsets = np.concatenate([np.searchsorted(owner, present), [len(owner)]]).astype(np.int64)
        return self.rows(np.flatnonzero(chosen), tuple(self.ids[i] for i in present), offsets)

    def until(self, time_s: float) -> "TrackTable":
        """What was known at a moment: the fixes at or before it."""
        return self.where(self.time <= time_s)

    def rows(self, rows: Ints, ids: Sequence[str | int], offsets: Ints) -> "TrackTable":
        """A table of some rows, which must stand track after track as `ids` and `offsets` say."""
        return replace(
            self, ids=tuple(ids), offsets=offsets, time=self.time[rows], position=self.position[rows],
            features=self.features[rows], scene=self.scene[rows], jumps=self.jumps[rows],
            file_rows=None if self.file_rows is None else self.file_rows[rows],
        )  # fmt: skip

    def row_number(self, row: int) -> int:
        """The number of a row in the user's table, from 1; 0 for an inserted row."""
        return row + 1 if self.file_rows is None else int(self.file_rows[row])

    def show_time(self, time_s: float) -> Any:
        """A time as the user's table has it: a date, or a number in its own unit."""
        if self.stamped:
            return np.datetime64(round(time_s * 1e6), "us")
        return time_s / self.columns.seconds_per_unit

    def shown_jumps(self) -> tuple[tuple[str | int, Any], ...]:
        """Object and time of each jump, in the table's own terms."""
        owner = self.owner
        return tuple((self.ids[owner[row]], self.show_time(self.time[row])) for row in np.flatnonzero(self.jumps))


def _speed(table: TrackTable) -> Floats:
    """How fast each fix was reached, in units of length a second, [rows]; 0 at the first fix of a track."""
    length = np.hypot(table.steps[:, 0], table.steps[:, 1])
    return np.divide(length, table.elapsed, out=np.zeros(len(table)), where=table.elapsed > 0)


def _usual_limit(speed: Floats) -> float:
    """Absurdly fast, for the objects of a table; no limit where there are too few steps to tell."""
    moving = speed[speed > 0]
    return ABSURD * float(np.quantile(moving, 0.99)) if len(moving) >= 100 else np.inf


def _flagged(table: TrackTable, speed: Floats, limit: float) -> Bools:
    """The fixes that were reached faster than the limit.

    Raises:
        BadValueError: for the first of them, if jumps are refused.
    """
    jumps: Bools = speed > limit
    if jumps.any() and table.policy.jumps == "refuse":
        row = int(np.argmax(jumps))
        raise BadValueError(
            f"row {table.row_number(row)}, columns {table.columns.x!r} and {table.columns.y!r} (object "
            f"{table.ids[table.owner[row]]!r}): reached at a speed of {speed[row]:.4g} a second, above {limit:.4g}; "
            "correct the fix, or use jumps='flag' or 'cut'"
        )
    return jumps
