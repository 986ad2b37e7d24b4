"""Covariate columns: numbers or categories, never a mixture, never with holes."""

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
    """Covariates without holes: refused, or carried on from the last value before ("last").

    Raises:
        BadValueError: for a missing value that is not to be filled, or has no value before it in its series.
    """
    holes = np.isnan(values) if values.dtype.kind == "f" else np.array([value is None for value in values], bool)
    if not holes.any():
        return values
    index = np.arange(len(values))
    latest = np.maximum.accumulate(np.where(holes, -1, index))
    source = np.where(latest < rows.offsets[rows.codes], -1, latest)
    wrong = holes if missing == "refuse" else source < 0
    if wrong.any():
        at = int(np.argmax(wrong))
        row = int(rows.file_rows[at])
        where = places.at(row - 1, name) if row else (
            f"inserted row at {show_stamp(rows.ds[at], rows.time_zone)} of series {plain(rows.ids[rows.codes[at]])!r}, "
            f"column {name!r}"
        )  # fmt: skip
        remedy = "use missing_covariates='last' to carry the last value on, or fill it in"
        raise BadValueError(f"{where}: the covariate is missing; {remedy if missing == 'refuse' else 'fill it in'}")
    return np.asarray(values[source])


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
