"""The targets that an output's distribution gives any probability; others are refused wherever they come in."""

import numpy as np
import numpy.typing as npt

from recurra.data.series import SeriesTable
from recurra.errors import BadValueError

Mask = npt.NDArray[np.bool_]
BOUNDED = ("log_normal", "negative_binomial")
"""Outputs that cannot hold every number."""


def outside_support(output: str, y: npt.NDArray[np.float64]) -> list[tuple[Mask, str]]:
    """What is wrong with targets, and which ones: (mask [n], words) for each demand of the output.

    Args:
        output: name of the output, such as "log_normal".
        y: targets, NaN where missing, [n].
    """
    known = ~np.isnan(y)
    if output == "log_normal":
        return [(known & (y <= 0.0), "is not above zero, and output='log_normal' is for values above zero")]
    if output == "negative_binomial":
        counts = "and output='negative_binomial' is for counts"
        return [
            (known & (y < 0.0), f"is negative, {counts}"),
            (known & (y != np.rint(y)), f"is no whole number, {counts}"),
        ]
    return []


def check_support(table: SeriesTable, output: str) -> None:
    """Refuse targets that the output's distribution gives no probability.

    Raises:
        BadValueError: naming the first row, its column and what to do.
    """
    for bad, words in outside_support(output, table.y):
        if bad.any():
            row = int(np.argmax(bad))
            column = table.target_of(int(table.series_of_rows[row]))
            raise BadValueError(
                f"row {table.row_number(row)}, column {column!r}: {table.y[row]:g} {words}; correct it, or use "
                f"output='quantiles' ({int(bad.sum())} such rows)"
            )
