"""The units that a network works in: those of the target, or its logarithm, and the way back."""

from dataclasses import replace

import numpy as np

from recurra.data.preparation.reference import Array
from recurra.data.series import SeriesTable
from recurra.errors import BadValueError

LOG = "log"
LARGEST_LOG = float(np.log1p(1e30))
REMEDY = "scaling='log' takes the logarithm of 1 + y; use another scaling, or correct the value"


def in_model_units(table: SeriesTable, scaling: str) -> SeriesTable:
    """The table with its target as log(1 + y) under a log scale, and as it is under any other.

    Raises:
        BadValueError: for a negative value under a log scale; names row and column.
    """
    if scaling != LOG:
        return table
    negative = table.y < 0
    if negative.any():
        at = int(np.argmax(negative))
        series = int(table.series_of_rows[at])
        raise BadValueError(
            f"row {table.row_number(at)}, column {table.target_of(series)!r} (series {table.ids[series]!r}): "
            f"{table.y[at]:g} is negative; {REMEDY}"
        )
    return replace(table, y=np.log1p(table.y))


def to_model_units(y: Array, scaling: str) -> Array:
    """Observations in the units of the network; same shape."""
    return np.log1p(y) if scaling == LOG else y


def to_table_units(values: Array, scaling: str) -> Array:
    """What the network says in the units of the target: exp(z) - 1, never below 0, under a log scale; same shape."""
    if scaling != LOG:
        return values
    return np.maximum(np.expm1(np.minimum(values, LARGEST_LOG)), 0.0)
