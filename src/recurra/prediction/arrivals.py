"""Rows that arrive one by one: what they must hold, and what happens to late, repeated and skipped ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, cast

import numpy as np

from recurra.data.columns import Columns
from recurra.data.frequency import Frequency, show_stamp
from recurra.errors import BadValueError, ConfigError, LateRowError, MissingColumnError, SkippedRowError, TimeStampError

LARGEST = 1e30
HOW_TO_WRITE = "write it as 2024-01-31 or 2024-01-31T12:00"
Row = Mapping[str, Any]
ArrivalAction = Literal["use", "ignore"]


@dataclass(frozen=True)
class ArrivalPolicy:
    """What a stream does with rows that do not come one step after the last one.

    Args:
        late: a row before the last one seen: "refuse" it with an error, or "ignore" it.
        repeated: a row with the last one's time: "refuse" or "ignore".
        skipped: rows missing in between: "refuse", or "mask" them as missing targets.
    """

    late: Literal["refuse", "ignore"] = "refuse"
    repeated: Literal["refuse", "ignore"] = "refuse"
    skipped: Literal["refuse", "mask"] = "refuse"

    def __post_init__(self) -> None:
        for name, known in (("late", "ignore"), ("repeated", "ignore"), ("skipped", "mask")):
            if getattr(self, name) not in ("refuse", known):
                raise ConfigError(f"{name}={getattr(self, name)!r} is unknown; choose 'refuse' or '{known}'")


@dataclass(frozen=True)
class Arrival:
    """One row, checked: its series, its time, its target (NaN if missing) and its covariates."""

    name: str | int
    ds: Any
    y: float
    covariates: dict[str, Any]


@dataclass(frozen=True)
class ArrivalReader:
    """Reads rows in the model's columns.

    Args:
        columns: names of the columns.
        frequency: the step between rows; decides between dates and integers.
        numeric, categorical: covariates that every row must hold.
        mask_missing: whether a missing target is masked; it is refused otherwise.
        single: name of the only series, if rows need not name theirs.
    """

    columns: Columns
    frequency: Frequency
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    mask_missing: bool
    single: str | int | None

    def read(self, rows: Iterable[Row]) -> list[Arrival]:
        """Check every row before any is used, so that a bad one changes nothing.

        Raises:
            TableError: naming row, column and remedy.
        """
        return [self._read_one(row, number) for number, row in enumerate(rows, start=1)]

    def _read_one(self, row: Row, number: int) -> Arrival:
        name = self.single
        if self.columns.unique_id is not None and (self.single is None or self.columns.unique_id in row):
            name = _get(row, self.columns.unique_id, number)
        ds = self._stamp(_get(row, self.columns.ds, number), number)
        y = self._target(_get(row, self.columns.y, number), number)
        covariates: dict[str, Any] = {c: _number(_get(row, c, number), c, number) for c in self.numeric}
        covariates.update({c: str(_get(row, c, number)) for c in self.categorical})
        if name is None:
            raise MissingColumnError(f"row {number}: name its series")
        return Arrival(name if isinstance(name, int) else str(name), ds, y, covariates)

    def _target(self, value: object, number: int) -> float:
        missing = value is None or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))
        if missing and self.mask_missing:
            return float("nan")
        if missing:
            raise BadValueError(
                f"row {number}, column {self.columns.y!r}: the target is missing; "
                "leave the row out, or fit the model with missing='mask'"
            )
        return _number(value, self.columns.y, number)

    def _stamp(self, value: Any, number: int) -> Any:
        where = f"row {number}, column {self.columns.ds!r}"
        if self.frequency.is_index:
            if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
                return np.int64(value)
            raise TimeStampError(f"{where}: {value!r} is not a whole number, as the model's time stamps are")
        return parse_stamp(value, where)


def parse_stamp(value: Any, where: str) -> Any:
    """A time stamp as datetime64[us], in UTC if it has a zone.

    Raises:
        TimeStampError: if it is no date.
    """
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime()
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError as error:
            raise TimeStampError(
                f"{where}: {value!r} is not a date; write it as 2024-01-31 or 2024-01-31T12:00"
            ) from error
    if isinstance(value, datetime) and value.tzinfo is not None:
        offset = value.utcoffset()
        value = value.replace(tzinfo=None) - offset if offset is not None else value.replace(tzinfo=None)
    if isinstance(value, (date, np.datetime64)):
        stamp: Any = np.datetime64(cast("Any", value), "us")
        if not np.isnat(stamp):
            return stamp
    raise TimeStampError(f"{where}: {value!r} is not a date; {HOW_TO_WRITE}")


def _get(row: Row, column: str, number: int) -> Any:
    if column not in row:
        raise MissingColumnError(f"row {number}: column {column!r} is missing; the row has {', '.join(map(str, row))}")
    return row[column]


def _number(value: Any, column: str, number: int) -> float:
    try:
        result = float(value) if not isinstance(value, str) else None
    except (TypeError, ValueError):
        result = None
    if result is None or not np.isfinite(result):
        raise BadValueError(f"row {number}, column {column!r}: {value!r} is not a finite number; correct the row")
    if abs(result) > LARGEST:
        raise BadValueError(f"row {number}, column {column!r}: {value!r} is beyond 1e30; use a larger unit")
    return result


def decide(policy: ArrivalPolicy, arrival: Arrival, last: Any, frequency: Frequency) -> tuple[ArrivalAction, int]:
    """Whether a row is used, and how many rows are missing before it.

    Raises:
        LateRowError: the row comes before, or with, the last one and the policy refuses that.
        SkippedRowError: rows are missing before it and the policy refuses that.
        TimeStampError: the row's time is not a whole number of steps after the last one.
    """
    steps = frequency.steps_between(last, arrival.ds)
    if steps == 1:
        return "use", 0
    where = f"series {arrival.name!r}: the row of {show_stamp(arrival.ds, frequency.zone)}"
    seen = show_stamp(last, frequency.zone)
    if steps < 0 and policy.late == "refuse":
        raise LateRowError(f"{where} comes before the last one seen, {seen}; late='ignore' would drop it")
    if steps == 0 and policy.repeated == "refuse":
        raise LateRowError(f"{where} has been seen already; repeated='ignore' would drop it")
    if steps <= 0:
        return "ignore", 0
    if policy.skipped == "refuse":
        raise SkippedRowError(
            f"{where} comes {steps} steps after the last one seen, {seen}; hand in the rows between, "
            "or open the stream with skipped='mask' (the model must be fitted with missing='mask')"
        )
    return "use", steps - 1


def rounds(arrivals: Sequence[Arrival]) -> list[list[Arrival]]:
    """Arrivals in batches that hold each series once, in order of arrival."""
    batches: list[list[Arrival]] = []
    turn: dict[str | int, int] = {}
    for arrival in arrivals:
        number = turn.get(arrival.name, 0)
        turn[arrival.name] = number + 1
        if number == len(batches):
            batches.append([])
        batches[number].append(arrival)
    return batches
