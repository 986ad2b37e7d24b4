"""Fixes that arrive one by one or as a table, checked before any is used."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from recurra.data.tracks import TrackColumns, TrackPolicy, TrackTable, wrap_longitude
from recurra.errors import BadValueError, ConfigError, MissingColumnError
from recurra.prediction.arrivals import LARGEST, Row, series_name
from recurra.prediction.stamps import parse_stamp, refuse_other_clock


@dataclass(frozen=True)
class TrackArrivalPolicy:
    """What a stream does with fixes that do not come after the last one of their object.

    Attributes:
        late: a fix before the last one: "refuse" it with an error, or "ignore" it.
        repeated: a fix with the last one's time: "refuse" or "ignore".
        forget_after_s: objects that were not seen for so long are forgotten; None keeps them.

    A fix after a longer gap than the model's begins a new piece of track, as in a table.
    """

    late: Literal["refuse", "ignore"] = "refuse"
    repeated: Literal["refuse", "ignore"] = "refuse"
    forget_after_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("late", "repeated"):
            if getattr(self, name) not in ("refuse", "ignore"):
                raise ConfigError(f"{name}={getattr(self, name)!r} is unknown; choose 'refuse' or 'ignore'")
        if self.forget_after_s is not None and not self.forget_after_s > 0:
            raise ConfigError(f"forget_after_s must be above 0 or None, not {self.forget_after_s}")


@dataclass(frozen=True)
class Clock:
    """What the times of a model's tables are.

    Attributes:
        stamped: dates; else numbers.
        time_zone: of the dates, None if they have none.
    """

    stamped: bool = False
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """One fix, checked: object, time in seconds, position, features (NaN where missing), scene, and its row number."""

    name: str
    time: float
    x: float
    y: float
    features: tuple[float, ...]
    scene: str
    number: int


class FixReader:
    """Reads fixes in the model's columns.

    Args:
        columns: names of the columns.
        policy: what to do about the blemishes of a table.
        clock: what its times are.
    """

    def __init__(self, columns: TrackColumns, policy: TrackPolicy, clock: Clock) -> None:
        self.columns, self.policy, self.clock = columns, policy, clock

    def read(self, rows: Iterable[Row] | object) -> list[Fix]:
        """Check every row, in order of time.

        Args:
            rows: mappings of column names to values, or any table that `fit` takes.

        Raises:
            TableError: naming row, column and remedy.
        """
        if isinstance(rows, TrackTable) or not isinstance(rows, (Sequence, Iterator)) or isinstance(rows, str):
            return self._read_table(rows)
        return sorted((self.read_row(row, n) for n, row in enumerate(rows, start=1)), key=lambda fix: fix.time)

    def read_row(self, row: Row, number: int = 1) -> Fix:
        """Check one row; `number` names it in errors."""
        if not isinstance(row, Mapping):
            raise BadValueError(f"row {number}: {row!r} is not a row; hand in values by column name")
        c = self.columns
        name, scene = "object", "scene"
        if c.object is not None:
            name = series_name(_get(row, c.object, number), f"row {number}, column {c.object!r}", "object")
        if c.scene is not None:
            scene = series_name(_get(row, c.scene, number), f"row {number}, column {c.scene!r}", "scene")
        time = self._time(_get(row, c.time, number), number)
        x, y = _number(_get(row, c.x, number), c.x, number), _number(_get(row, c.y, number), c.y, number)
        if c.geographic:
            x = self._on_globe(x, y, number)
        features = tuple(_feature(row.get(column), column, number) for column in c.features)
        return Fix(name, time, x, y, features, scene, number)

    def _read_table(self, source: object) -> list[Fix]:
        table = TrackTable.from_table(source, columns=self.columns, policy=self.policy)
        refuse_other_clock(self.clock.time_zone, table.time_zone is not None, f"column {self.columns.time!r}")
        owner = table.owner
        fixes = [
            Fix(
                str(table.ids[owner[row]]), float(table.time[row]), float(table.position[row, 0]),
                float(table.position[row, 1]), tuple(table.features[row].tolist()),
                str(table.scene_names[table.scene[row]]), table.row_number(row),
            )
            for row in range(len(table))
        ]  # fmt: skip
        return sorted(fixes, key=lambda fix: fix.time)

    def _time(self, value: Any, number: int) -> float:
        c = self.columns
        if not self.clock.stamped:
            if type(value) is float and math.isfinite(value):
                return value * c.seconds_per_unit
            return _number(value, c.time, number) * c.seconds_per_unit
        stamp = parse_stamp(value, f"row {number}, column {c.time!r}", c.date_format, self.clock.time_zone)
        return float(np.datetime64(stamp, "us").astype(np.int64)) / 1e6

    def _on_globe(self, x: float, y: float, number: int) -> float:
        c = self.columns
        for value, name, what, most in ((y, c.y, "latitude", 90.0), (x, c.x, "longitude", 360.0)):
            if abs(value) > most:
                raise BadValueError(
                    f"row {number}, column {name!r}: {value:g} is no {what}, which goes from -{most:g} to {most:g} "
                    "degrees; correct it, or look whether x (longitude) and y (latitude) are the wrong way round"
                )
        return float(wrap_longitude(x))


def _get(row: Row, column: str, number: int) -> Any:
    try:
        return row[column]
    except KeyError:
        has = ", ".join(map(repr, row)) or "nothing"
        raise MissingColumnError(f"row {number}: column {column!r} is missing; the row has {has}") from None


def _number(value: Any, column: str, number: int) -> float:
    if type(value) is float and abs(value) <= LARGEST:
        return value
    try:
        result = float(value) if not isinstance(value, str) or "_" not in value else math.nan
    except (TypeError, ValueError):
        result = math.nan
    if not abs(result) <= LARGEST:
        raise BadValueError(
            f"row {number}, column {column!r}: {value!r} is not a finite number within 1e30; correct the row"
        )
    return result


def _feature(value: Any, column: str, number: int) -> float:
    missing = value is None or value != value  # noqa: PLR0124  NaN is unlike itself
    return math.nan if missing else _number(value, column, number)
