"""A table held against a Forecaster's settings, and what of it fell back, in words."""

from collections.abc import Sequence

import numpy as np

from recurra.data.preparation.rows import Rows
from recurra.data.series import SeriesTable
from recurra.errors import BadValueError, MissingColumnError, TableError
from recurra.learners.choices import needed_rows
from recurra.learners.schema import ForecasterConfig


def check_table(table: SeriesTable, config: ForecasterConfig) -> None:
    """Refuse a table that was read otherwise than the settings say.

    Raises:
        MissingColumnError: if a covariate was not read.
        TableError: if it was read with other targets.
        BadValueError: for a missing target that is not to be masked.
    """
    absent = [name for name in config.covariates if name not in table.covariates]
    if absent:
        raise MissingColumnError(f"the table was read without the column {absent[0]!r}; read it as a covariate")
    if len(config.targets) > 1 and table.columns.targets != config.targets:
        raise TableError(
            f"the table was read with the targets {', '.join(map(repr, table.columns.targets))}, not "
            f"{', '.join(map(repr, config.targets))}; read it with Columns(y=..., more_targets=...)"
        )
    if config.missing == "refuse" and np.isnan(table.y).any():
        row = int(np.argmax(np.isnan(table.y)))
        column = table.target_of(int(table.series_of_rows[row]))
        raise BadValueError(
            f"row {table.row_number(row)}, column {column!r}: the target is missing; use missing='mask'"
        )


def fallbacks(table: SeriesTable, cuts: Rows, config: ForecasterConfig) -> dict[str, str]:
    """What a fit did otherwise for some series than for the others, and why; by subject.

    Args:
        table: the whole table.
        cuts: training rows of each series.
        config: the settings.
    """
    told: dict[str, str] = {}
    lengths, needed = table.lengths, needed_rows(config)
    uncut = lengths == cuts
    if uncut.any():
        told["short series"] = (
            f"{_some(table, uncut)} have fewer than {min(needed, 2 * config.horizon + 2)} rows: learned from "
            "as a whole, without a validation part; a rule that looks back beyond the first row takes the latest value"
        )
    training = [table.y[b : b + cut] for b, cut in zip(table.offsets[:-1], cuts, strict=True)]
    known = [y[~np.isnan(y)] for y in training]
    bare = np.array([len(y) < 2 for y in known])
    if bare.any():
        told["bare series"] = f"{_some(table, bare)} have fewer than two known targets to learn from: not learned from"
    still = np.array([len(y) > 1 and y.min() == y.max() for y in known])
    if still.any():
        told["constant series"] = (
            f"{_some(table, still)} do not vary in the rows that were learned from: their scale is their size, or 1 "
            "for zeros, and their forecasts start from that value"
        )
    if table.frequency.irregular:
        gap = table.frequency.code.partition(":")[2]
        told["frequency"] = f"rows come at any time: a step is a row, and forecasts are dated by the median gap, {gap}"
    return told


def _some(table: SeriesTable, chosen: Sequence[bool] | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> str:
    names = [repr(table.ids[i]) for i in np.flatnonzero(chosen)]
    return f"{len(names)} of {table.n_series} series ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''})"
