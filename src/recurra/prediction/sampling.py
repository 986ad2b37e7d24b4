"""Possible paths of series, as a table: what the quantiles of single steps cannot say."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from recurra.data.columns import Columns, TablePolicy
from recurra.data.forecasts import id_columns
from recurra.data.frames import to_native
from recurra.data.frequency import Stamps
from recurra.data.preparation.reference import Array
from recurra.data.readers import TableKind
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError
from recurra.prediction.feedback import (
    Start,
    fed_back,
    parts_of,
    paths_ahead,
    ranks_of,
    start_after,
    with_margins,
)
from recurra.prediction.forecast import ForecastPredictor

EVERY = slice(None)


@dataclass(frozen=True)
class Paths:
    """Possible paths of N series.

    Attributes:
        ids: name of each series, [N].
        ds: the stamps, [N, steps].
        values: [N, paths, steps], in the units of the target.
    """

    ids: tuple[str | int, ...]
    ds: Stamps
    values: Array

    def to_table(self, columns: Columns | None = None, kind: TableKind = "pandas", time_zone: str | None = None) -> Any:
        """The paths as a table: id, "target" if there are several, "path" (from 0), ds and "sample".

        Args:
            columns: the user's names of the id and time stamp columns.
            kind: "pandas", "polars", "pyarrow" or "columns".
            time_zone: zone to show stamps in; `ds` is then taken as UTC.
        """
        columns = columns or Columns()
        _, n_paths, steps = self.values.shape
        flat: dict[str, Any] = id_columns(self.ids, columns, n_paths * steps)
        flat["path"] = np.tile(np.repeat(np.arange(n_paths), steps), len(self.ids))
        flat[columns.ds] = np.repeat(self.ds[:, None], n_paths, axis=1).reshape(-1)
        flat["sample"] = self.values.reshape(-1)
        return to_native(flat, kind, time_zone=time_zone)


def sample_paths(
    predictor: ForecastPredictor,
    table: SeriesTable,
    future: object,
    tables: TablePolicy,
    wanted: tuple[int, int, int | None],
    turn: slice = EVERY,
) -> Paths:
    """Paths after the last row of each series.

    Args:
        predictor: the trained model.
        table: the rows so far.
        future: covariates known in advance of the steps.
        tables: what to do about the blemishes of that table.
        wanted: number of paths, seed, and steps (None for those that the model was fitted for).
        turn: which of the paths this model makes, if several models share them.

    Raises:
        ConfigError: if there is to be no path.
    """
    n_paths, seed, horizon = wanted
    if n_paths < 1:
        raise ConfigError(f"n_paths is {n_paths}; it must be at least 1")
    if seed < 0:
        raise ConfigError(f"seed is {seed}; it must be 0 or more")
    ds, known = predictor.steps_after(table, future, tables, horizon)
    ranks = ranks_of(predictor.copula, table.ids, n_paths, ds.shape[1], seed)[:, turn]
    start = start_after(predictor, table)
    begun = start.rows.origins(np.arange(table.n_series)).begun
    values = _calibrated(predictor, paths_ahead(predictor, start, known, ranks), start, known)
    return Paths(table.ids, ds, np.where(begun[:, None, None], values, np.nan))


def _calibrated(predictor: ForecastPredictor, values: Array, start: Start, known: Array) -> Array:
    """Paths that were fed back, moved as their quantiles are by margins; others are drawn of what has them already.

    Each value moves by what is added at its place among the quantiles of its step: x + d(x), with d on straight lines
    between d(q) = margin of q, flat beyond the ends.
    """
    if predictor.conformal is None or predictor.is_direct:
        return values
    places, h = np.arange(len(values)), parts_of(start.state)[0][-1]
    origins = start.rows.origins(places)
    before = fed_back(predictor, h, origins, known, start).quantiles
    margins = with_margins(predictor, before, origins) - before
    moved = values.copy()
    for i, k in np.ndindex(before.shape[:2]):
        moved[i, :, k] += np.interp(values[i, :, k], before[i, k], margins[i, k])
    output = predictor.network.output
    moved = np.rint(moved) if output.whole else moved
    return moved.clip(0.0) if output.positive else moved
