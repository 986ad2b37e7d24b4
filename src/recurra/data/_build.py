"""From a raw table to checked, sorted, regular columns: the steps behind `SeriesTable.from_table`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data._covariates import fill_covariate, parse_covariate, spread_static
from recurra.data._inference import Pairs, infer_frequency, median_frequency
from recurra.data._numbers import parse_numbers, refuse_missing, refuse_unusable
from recurra.data._places import Places, plain
from recurra.data._stamps import parse_stamps
from recurra.data.columns import Columns, TablePolicy
from recurra.data.frequency import IRREGULAR, Frequency, show_stamp
from recurra.data.readers import RawColumn, RawTable, is_whole_number
from recurra.errors import BadValueError, ConfigError, MissingColumnError, TableError, TimeStampError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """The rows of a table, series after series once sorted; `file_rows` numbers them as the user sees them, from 1.

    Attributes:
        ids: distinct series, in order of first appearance.
        codes: series of each row as an index into `ids`, [rows].
        ds, y: stamps and target, [rows].
        covariates: name -> [rows]; the targets but the first among them.
        file_rows: [rows]; 0 for an inserted row.
        time_zone: zone of the stamps, which are UTC, or None.
    """

    ids: tuple[str | int, ...]
    codes: Ints
    ds: npt.NDArray[Any]
    y: Floats
    covariates: dict[str, npt.NDArray[Any]]
    file_rows: Ints
    time_zone: str | None

    @property
    def offsets(self) -> Ints:
        """Where each series begins, and the end, [N + 1]; for sorted rows."""
        return np.searchsorted(self.codes, np.arange(len(self.ids) + 1))

    def take(self, order: Ints) -> "Rows":
        """The same rows in another order."""
        covariates = {name: values[order] for name, values in self.covariates.items()}
        return replace(
            self, codes=self.codes[order], ds=self.ds[order], y=self.y[order], covariates=covariates,
            file_rows=self.file_rows[order],
        )  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What is asked of a table: see `SeriesTable.from_table`."""

    columns: Columns
    covariates: Sequence[str]
    freq: str | None
    policy: TablePolicy
    require_y: bool


def build(raw: RawTable, request: Request) -> tuple[Rows, Frequency]:
    """Checked rows, series after series, each strictly regular.

    Raises:
        TableError: one of its leaves for every blemish that the policy does not allow.
    """
    rows, places = read_sorted(raw, request)
    frequency = _frequency(rows, request)
    if request.policy.gaps == "fill":
        rows = _filled(rows, frequency)
    for name, values in rows.covariates.items():
        if name in request.columns.static:
            rows.covariates[name] = spread_static(values, rows, name, places)
        elif name not in request.columns.more_targets:
            rows.covariates[name] = fill_covariate(values, rows, name, places, request.policy.missing_covariates)
    return rows, frequency


def read_sorted(raw: RawTable, request: Request) -> tuple[Rows, Places]:
    """Checked rows, series after series, strictly increasing in time but at no certain frequency; holes are left.

    Raises:
        TableError: one of its leaves for every blemish that the policy does not allow.
    """
    columns = request.columns
    if raw.n_rows > 0 or raw.names:
        _require_columns(raw, request)
    if raw.n_rows == 0:
        raise TableError("the table has no rows; give at least the history of one series")
    rows, places = _read(raw, request)
    return _sorted(rows, columns.ds, request.policy.unsorted), places


def _require_columns(raw: RawTable, request: Request) -> None:
    columns = request.columns
    for target in columns.targets:
        if target in (*request.covariates, *columns.static):
            raise ConfigError(
                f"column {target!r} is the target; it cannot be a covariate too, its own past is always used"
            )
    targets = columns.targets if request.require_y else ()
    wanted = [columns.unique_id, columns.ds, *targets, *request.covariates, *columns.static]
    for name in wanted:
        if name is not None:
            single = "a table of one series give unique_id=None" if name == columns.unique_id else ""
            require_column(raw, name, single)


def require_column(raw: RawTable, name: str, single: str = "") -> None:
    """Refuse a table without a column.

    Args:
        raw: the table.
        name: the column.
        single: what to say for a table that needs no such column, as in "a table of one series give unique_id=None".

    Raises:
        MissingColumnError: naming the columns that are there, and the closest.
    """
    if name in raw.names:
        return
    folded = {other.casefold(): other for other in raw.names}
    close = [folded[other] for other in get_close_matches(name.casefold(), folded, 1)]
    hint = f"; did you mean {close[0]!r}?" if close else "; name the column to use instead"
    if name in raw.index_names:
        hint = "; it is the index: hand in table.reset_index()"
    elif single:
        hint += f"{' For' if close else '; for'} {single}"
    raise MissingColumnError(f"there is no column {name!r}; the columns are {', '.join(map(repr, raw.names))}{hint}")


def _read(raw: RawTable, request: Request) -> tuple[Rows, Places]:
    """All columns as arrays, in file order."""
    columns = request.columns
    ids, codes = read_owners(raw, columns.unique_id, columns.y)
    named = Places(None if columns.unique_id is None else ids, codes)
    plain_index = request.freq is not None and Frequency.parse(request.freq).is_index
    ds, zone = parse_stamps(
        raw.load(columns.ds), columns.ds, named, date_format=columns.date_format, plain_index=plain_index
    )
    places = replace(named, ds=ds, zone=zone)
    y, *others = (_target(raw, name, request, places) for name in columns.targets)
    covariates = {
        name: parse_covariate(raw.load(name), name, places, name in columns.categorical)
        for name in dict.fromkeys((*request.covariates, *columns.static))
    }
    covariates.update(zip(columns.more_targets, others, strict=True))
    return Rows(ids, codes, ds, y, covariates, np.arange(1, raw.n_rows + 1), zone), places


def _target(raw: RawTable, name: str, request: Request, places: Places) -> Floats:
    """A column of numbers, NaN where missing; all NaN where it is neither there nor required."""
    if name not in raw.names:
        return np.full(raw.n_rows, np.nan)
    values = parse_numbers(raw.load(name), name, places)
    refuse_unusable(values, name, places)
    if request.require_y and request.policy.missing == "refuse":
        refuse_missing(values, name, places, "use missing='mask' to leave it out, or fill it in")
    return values


def read_owners(
    raw: RawTable, column: str | None, only: str, noun: str = "series"
) -> tuple[tuple[str | int, ...], Ints]:
    """Whose each row is: distinct ids in order of first appearance, and the code of each row.

    Args:
        raw: the table.
        column: that names the owner of a row; None if all rows belong to one.
        only: its name then.
        noun: what the owners are called in errors.

    Raises:
        BadValueError: if a row names none, or one is named both as text and as a number.
    """
    if column is None:
        return (only,), np.zeros(raw.n_rows, np.int64)
    cells, starts = _runs(_id_cells(raw.load(column), column, noun))
    distinct = dict.fromkeys(cells)
    for missing in (None, ""):
        if missing in distinct:
            at = int(starts[cells.index(missing)])
            raise BadValueError(f"{Places().at(at, column)}: the {noun} is not named; fill it in")
    if all(map(is_whole_number, distinct)):
        known: dict[Any, str | int] = {cell: int(cell) for cell in distinct}
    else:
        known = {cell: str(cell) for cell in distinct}
    if len(set(known.values())) != len(known):
        raise BadValueError(f"column {column!r} names {_article(noun)} both as text and as a number; use one of them")
    number = {cell: i for i, cell in enumerate(distinct)}
    codes = np.fromiter(map(number.__getitem__, cells), np.int64, len(cells))
    return tuple(known[cell] for cell in distinct), np.repeat(codes, np.diff(starts, append=raw.n_rows))


def _runs(values: npt.NDArray[Any]) -> tuple[list[Any], Ints]:
    """Each stretch of equal values once, and where it begins: rows of a series mostly stand together."""
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1])) if len(values) else np.zeros(0, np.int64)
    return values[starts].tolist(), starts


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _id_cells(column: RawColumn, name: str, noun: str) -> npt.NDArray[Any]:
    values = column.values
    if values.dtype.kind == "M":
        plural = noun if noun.endswith("s") else noun + "s"
        raise BadValueError(f"column {name!r} holds dates where the names of {plural} belong; name another column")
    if values.dtype.kind == "f":
        if np.isnan(values).any():
            raise BadValueError(
                f"{Places().at(int(np.argmax(np.isnan(values))), name)}: the {noun} is not named; fill it in"
            )
        if np.all(values == np.floor(values)):
            return np.array([int(value) for value in values.tolist()], object)
    return values


def _sorted(rows: Rows, column: str, unsorted: str) -> Rows:
    """Series after series, stamps strictly increasing."""
    if np.any(rows.codes[1:] < rows.codes[:-1]):
        rows = rows.take(np.argsort(rows.codes, kind="stable"))
    pairs = Pairs.of(rows.ds, rows.offsets)
    back = pairs.after < pairs.before
    if back.any() and unsorted == "sort":
        rows = rows.take(np.lexsort((rows.ds, rows.codes)))
        pairs = Pairs.of(rows.ds, rows.offsets)
    elif back.any():
        at = int(pairs.at[np.argmax(back)])
        raise TimeStampError(
            f"{_place(rows, at, column)}: {_stamp(rows, at)} comes after {_stamp(rows, at - 1)} "
            f"of row {rows.file_rows[at - 1]}; sort the table, or use unsorted='sort'"
        )
    same = pairs.after == pairs.before
    if same.any():
        at = int(pairs.at[np.argmax(same)])
        raise TimeStampError(
            f"{_place(rows, at, column)}: {_stamp(rows, at)} is already in row {rows.file_rows[at - 1]}; "
            "remove one of the two, or name the column that tells the series apart"
        )
    return rows


def _frequency(rows: Rows, request: Request) -> Frequency:
    """The frequency given or found, after every row is held against it."""
    column, fill = request.columns.ds, request.policy.gaps == "fill"
    if request.freq is None:
        return infer_frequency(
            rows.ds,
            rows.offsets,
            zone=rows.time_zone,
            gaps=fill,
            column=column,
            where=lambda at: _place(rows, at, column),
        )
    if request.freq.strip() == IRREGULAR:
        return median_frequency(rows.ds, rows.offsets, column)
    frequency = Frequency.parse(request.freq)
    if frequency.zone is None:
        frequency = frequency.in_zone(rows.time_zone)
    elif rows.time_zone is None:
        raise TimeStampError(
            f"column {column!r} has no time zone but freq={request.freq!r} names one; give the stamps their zone"
        )
    off = ~frequency.on_grid(rows.ds)
    if off.any():
        at = int(np.argmax(off))
        raise TimeStampError(
            f"{_place(rows, at, column)}: {_stamp(rows, at)} cannot occur at freq={frequency.code!r}; "
            "correct the time stamp, or give another freq"
        )
    pairs = Pairs.of(rows.ds, rows.offsets)
    steps, exact = frequency.count(pairs.before, pairs.after)
    wrong = ~exact | (steps < 1) | ((steps != 1) & (not fill))
    if wrong.any():
        at = int(pairs.at[np.argmax(wrong)])
        remedy = "correct it or give another freq"
        if exact[np.argmax(wrong)]:
            remedy = "use gaps='fill' with missing='mask', or add the missing rows"
        raise TimeStampError(
            f"{_place(rows, at, column)}: {_stamp(rows, at)} is not one step of {frequency.code!r} "
            f"after {_stamp(rows, at - 1)}; {remedy}"
        )
    return frequency


def _filled(rows: Rows, frequency: Frequency) -> Rows:
    """With the missing rows inserted: NaN for the target and for number covariates, None for categories."""
    offsets = rows.offsets
    first = offsets[:-1]
    place = np.zeros(len(rows.ds), np.int64)
    pairs = Pairs.of(rows.ds, offsets)
    place[pairs.at] = frequency.count(pairs.before, pairs.after)[0]
    place = np.cumsum(place)
    place -= np.repeat(place[first], np.diff(offsets))
    lengths = place[offsets[1:] - 1] + 1
    starts = np.concatenate([[0], np.cumsum(lengths)])
    total = int(starts[-1])
    if total == len(rows.ds):
        return rows
    if total > 100 * len(rows.ds) + 10_000:
        raise TimeStampError(
            f"filling the gaps would insert {total - len(rows.ds)} rows; correct the time stamps or freq"
        )
    codes = np.repeat(np.arange(len(rows.ids)), lengths)
    target = np.repeat(starts[:-1], np.diff(offsets)) + place
    y, file_rows = np.full(total, np.nan), np.zeros(total, np.int64)
    y[target], file_rows[target] = rows.y, rows.file_rows
    ds = frequency.shift(rows.ds[first][codes], np.arange(total) - starts[:-1][codes])
    covariates = {}
    for name, values in rows.covariates.items():
        wide = np.full(total, np.nan) if values.dtype.kind == "f" else np.full(total, None, object)
        wide[target] = values
        covariates[name] = wide
    return replace(rows, codes=codes, ds=ds, y=y, covariates=covariates, file_rows=file_rows)


def _place(rows: Rows, at: int, column: str) -> str:
    return f"row {rows.file_rows[at]}, column {column!r} (series {plain(rows.ids[rows.codes[at]])!r})"


def _stamp(rows: Rows, at: int) -> str:
    return show_stamp(rows.ds[at], rows.time_zone)
