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
from recurra.prediction.feedback import paths_ahead, ranks_of, start_after
from recurra.prediction.forecast import ForecastPredictor


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
) -> Paths:
    """Paths after the last row of each series.

    Args:
        predictor: the trained model.
        table: the rows so far.
        future: covariates known in advance of the steps.
        tables: what to do about the blemishes of that table.
        wanted: number of paths, seed, and steps (None for those that the model was fitted for).

    Raises:
        ConfigError: if there is to be no path.
    """
    n_paths, seed, horizon = wanted
    if n_paths < 1:
        raise ConfigError(f"n_paths is {n_paths}; it must be at least 1")
    if seed < 0:
        raise ConfigError(f"seed is {seed}; it must be 0 or more")
    ds, known = predictor.steps_after(table, future, tables, horizon)
    ranks = ranks_of(predictor.copula, table.ids, n_paths, ds.shape[1], seed)
    return Paths(table.ids, ds, paths_ahead(predictor, start_after(predictor, table), known, ranks))
