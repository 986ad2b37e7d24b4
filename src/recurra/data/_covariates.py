"""Covariate columns: numbers or categories, never a mixture; holes are refused, filled or kept as declared."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recurra.data._numbers import is_missing, parse_numbers, reads_as_number, refuse_unusable
from recurra.data._places import Places, plain
from recurra.data.frequency import show_stamp
from recurra.data.readers import RawColumn
from recurra.errors import BadValueError

if TYPE_CHECKING:
    from recurra.data._build import Rows

Values = npt.NDArray[Any]


def parse_covariate(column: RawColumn, name: str, places: Places, categorical: bool) -> Values:
    """A column as float64 [rows] with NaN for missing, or as text (object [rows]) with None for missing.

    A text column is numbers if all of its cells read as numbers, and categories if none does.

    Raises:
        BadValueError: if some cells read as numbers and some do not, for dates, and for infinite or absurd numbers.
    """
    values = column.values
    if values.dtype.kind == "M":
        raise BadValueError(f"column {name!r} holds dates; a covariate is numbers or categories")
    if values.dtype.kind == "b" and not categorical:
        return values.astype(np.float64)
    if categorical:
        return _categories(values)
    if values.dtype.kind == "O":
        numeric = {cell: reads_as_number(cell) for cell in dict.fromkeys(values.tolist()) if not is_missing(cell)}
        if numeric and not any(numeric.values()):
            return _categories(values)
        if not all(numeric.values()):
            _refuse_mixture(values.tolist(), numeric, name, places)
    numbers = parse_numbers(column, name, places)
    refuse_unusable(numbers, name, places)
    return numbers


def fill_covariate(values: Values, rows: "Rows", name: str, places: Places, missing: str) -> Values:
    """Covariates whose holes are refused, carried on from the last value before ("last") or kept ("mask").

    Raises:
        BadValueError: for a missing value that is not to be filled, or has no value before it in its series.
    """
    holes = np.isnan(values) if values.dtype.kind == "f" else np.array([value is None for value in values], bool)
    if missing == "mask" or not holes.any():
        return values
    index = np.arange(len(values))
    latest = np.maximum.accumulate(np.where(holes, -1, index))
    source = np.where(latest < rows.offsets[rows.codes], -1, latest)
    wrong = holes if missing == "refuse" else source < 0
    if wrong.any():
        at = int(np.argmax(wrong))
        remedy = "use missing_covariates='last' to carry the last value on, 'mask' to leave it out, or fill it in"
        where = _where(rows, at, name, places)
        raise BadValueError(f"{where}: the covariate is missing; {remedy if missing == 'refuse' else 'fill it in'}")
    return np.asarray(values[source])


def spread_static(values: Values, rows: "Rows", name: str, places: Places) -> Values:
    """A column with one value a series, in every row of it; a series may give it in any one of its rows.

    Raises:
        BadValueError: for a series that gives two values, or none.
    """
    known = np.array([value is not None and value == value for value in values.tolist()], bool)  # noqa: PLR0124
    result = values.copy()
    for begin, end in zip(rows.offsets[:-1], rows.offsets[1:], strict=True):
        given = begin + np.flatnonzero(known[begin:end])
        if len(given) == 0:
            where = _where(rows, int(begin), name, places)
            raise BadValueError(f"{where}: the series gives no value of this static column; fill it in")
        first = values[given[0]]
        other = given[np.array([value != first for value in values[given].tolist()], bool)]
        if len(other):
            at, before = int(other[0]), int(rows.file_rows[given[0]])
            raise BadValueError(
                f"{_where(rows, at, name, places)}: {plain(values[at])!r} is unlike {plain(first)!r} in row {before}, "
                "but a static column has one value a series; correct it, or use it as a past or future covariate"
            )
        result[begin:end] = first
    return result


def _where(rows: "Rows", at: int, name: str, places: Places) -> str:
    row = int(rows.file_rows[at])
    if row:
        return places.at(row - 1, name)
    stamp, series = show_stamp(rows.ds[at], rows.time_zone), plain(rows.ids[rows.codes[at]])
    return f"inserted row at {stamp} of series {series!r}, column {name!r}"


def _categories(values: Values) -> Values:
    """Text for every cell that is there, None for the others; whole numbers without a decimal point."""
    names: dict[Any, str | None] = {}
    for cell in dict.fromkeys(values.tolist()):
        empty = cell is None or cell == "" or cell != cell  # noqa: PLR0124  NaN
        whole = isinstance(cell, float) and not empty and cell.is_integer()
        names[cell] = None if empty else str(int(cell)) if whole else str(cell)
    result = np.empty(len(values), object)
    result[:] = [names[cell] if cell == cell else None for cell in values.tolist()]  # noqa: PLR0124
    return result


def _refuse_mixture(cells: list[Any], numeric: dict[Any, bool], name: str, places: Places) -> None:
    """Blame the kind of cell that is rarer."""
    texts = [i for i, cell in enumerate(cells) if not numeric.get(cell, True)]
    numbers = [i for i, cell in enumerate(cells) if numeric.get(cell, False)]
    at, other, what = (texts[0], numbers[0], "not a number") if len(texts) <= len(numbers) else (
        numbers[0], texts[0], "a number"
    )  # fmt: skip
    raise BadValueError(
        f"{places.at(at, name)}: {cells[at]!r} is {what}, unlike {cells[other]!r} in row {other + 1}; "
        "correct it, or declare the column categorical"
    )
