"""Number columns: from whatever a table holds to float64, or an error that names the row."""

import math
import re
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recurra.data._places import Places
from recurra.data.readers import RawColumn
from recurra.errors import BadValueError

Floats = npt.NDArray[np.float64]

LARGEST: Final = 1e30
_MISSING: Final = frozenset({"", "nan", "na", "n/a", "null", "none", "<na>"})
_WITH_COMMAS: Final = re.compile(r"[+-]?\d+(?:[,'\u00a0 ]\d+)+(?:\.\d+)?")


def parse_numbers(column: RawColumn, name: str, places: Places) -> Floats:
    """A column as float64 [rows]; missing cells are NaN.

    Raises:
        BadValueError: for the first cell that holds text, a date or a truth value.
    """
    values = column.values
    if values.dtype.kind in "iuf":
        return values.astype(np.float64)
    if values.dtype.kind != "O":
        what = "truth values" if values.dtype.kind == "b" else "dates"
        raise BadValueError(f"column {name!r} holds {what} where numbers belong; convert it to numbers")
    cells: list[Any] = values.tolist()
    try:
        if not any("_" in cell for cell in cells):
            return np.array(list(map(float, cells)), np.float64)
    except (TypeError, ValueError):
        pass
    return np.array([_number(cell, i, name, places) for i, cell in enumerate(cells)], np.float64)


def refuse_unusable(values: Floats, name: str, places: Places) -> None:
    """Refuse infinity and sizes that no computation survives; NaN passes.

    Raises:
        BadValueError: for the first infinite value, or the first above 1e30 in size.
    """
    size = np.abs(values)
    if not np.any(size > LARGEST):
        return
    at = int(np.argmax(size > LARGEST))
    if np.isinf(values[at]):
        raise BadValueError(f"{places.at(at, name)}: the value is infinite; correct it, or leave it empty and mask it")
    raise BadValueError(
        f"{places.at(at, name)}: {values[at]:g} is larger than {LARGEST:g}; use a larger unit (divide the column), "
        "or correct the value"
    )


def refuse_missing(values: Floats, name: str, places: Places, remedy: str) -> None:
    """Refuse NaN.

    Raises:
        BadValueError: for the first NaN, with the remedy given.
    """
    missing = np.isnan(values)
    if missing.any():
        raise BadValueError(f"{places.at(int(np.argmax(missing)), name)}: the value is missing or NaN; {remedy}")


def is_missing(cell: object) -> bool:
    """Whether a cell of a number column means that there is none: empty, NaN, "NA", "null" or the like."""
    if isinstance(cell, str):
        return cell.strip().lower() in _MISSING
    return cell is None or cell != cell  # noqa: PLR0124  NaN is unlike itself


def reads_as_number(cell: object) -> bool:
    """Whether a cell is a number, or text that is one."""
    try:
        _number(cell, 0, "", Places())
    except BadValueError:
        return False
    return True


def _number(cell: Any, index: int, name: str, places: Places) -> float:
    """One cell as a float."""
    if is_missing(cell):
        return math.nan
    if isinstance(cell, str):
        text = cell.strip()
        try:
            if "_" not in text:
                return float(text)
        except ValueError:
            pass
        if _WITH_COMMAS.fullmatch(text):
            raise BadValueError(
                f"{places.at(index, name)}: {cell!r} is text, not a number; write numbers without thousands separators "
                "and with a decimal point"
            )
    elif not isinstance(cell, (bool, np.bool_)) and hasattr(cell, "__float__"):
        return float(cell)
    raise BadValueError(f"{places.at(index, name)}: {cell!r} is not a number; correct the value or remove the row")
