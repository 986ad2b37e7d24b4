"""Targets that an output cannot hold are refused before anything is learned."""

import numpy as np
import numpy.typing as npt

from recurra.data.series import SeriesTable
from recurra.errors import BadValueError
from recurra.learners.schema import ForecasterConfig
from recurra.models.forecast import check_options

Mask = npt.NDArray[np.bool_]


def check_target(table: SeriesTable, config: ForecasterConfig) -> None:
    """Refuse values that the output's distribution gives no probability, and options that the layer does not have.

    Raises:
        BadValueError: naming the first row, its column and what to do.
        ConfigError: for an option of the layer.
    """
    check_options(config.cell, config.cell_options or {}, config.hidden_size)
    y, output = table.y, config.output
    if output == "log_normal":
        _refuse(table, y <= 0.0, "is not above zero", "output='log_normal' is for values above zero")
    if output == "negative_binomial":
        _refuse(table, y < 0.0, "is negative", "output='negative_binomial' is for counts")
        _refuse(table, y != np.rint(y), "is no whole number", "output='negative_binomial' is for counts")


def _refuse(table: SeriesTable, bad: Mask, what: str, why: str) -> None:
    bad = bad & ~np.isnan(table.y)
    if bad.any():
        row = int(np.argmax(bad))
        column = table.target_of(int(table.series_of_rows[row]))
        raise BadValueError(
            f"row {table.row_number(row)}, column {column!r}: {table.y[row]:g} {what}, and {why}; correct it, or use "
            f"output='quantiles' ({int(bad.sum())} such rows)"
        )
