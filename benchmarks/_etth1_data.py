"""The ETTh1 protocol: its parts, its standardised columns, and scores over all windows of a part."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.catalogue import load_etth1
from recurra.data.series import SeriesTable

Array = npt.NDArray[np.float64]

MONTH = 30 * 24
TRAINING, TEST, END = 12 * MONTH, 16 * MONTH, 20 * MONTH

SEEDS = (0, 1, 2, 3, 4)
HORIZONS = {"seven": (96, 192, 336, 720), "ot": (24, 48, 168, 336, 720)}
PARTS = [f"{columns}-{horizon}" for columns, horizons in HORIZONS.items() for horizon in horizons]


@dataclass(frozen=True)
class Electricity:
    """Standardised columns as series.

    Args:
        table: the first twenty months.
    """

    table: SeriesTable

    @property
    def values(self) -> Array:
        """The series side by side, [series, hour]."""
        return self.table.y.reshape(self.table.n_series, -1)

    def until(self, hour: int) -> SeriesTable:
        """The rows before this hour."""
        return self.table.truncate(np.full(self.table.n_series, hour))

    def by_series(self, forecasts: Array) -> Array:
        """Forecasts of a hindcast by series, [series, origin, horizon]."""
        return forecasts.reshape(self.table.n_series, -1, forecasts.shape[-1])

    def scores(self, forecasts: Array, horizon: int, first: int) -> dict[str, Any]:
        """Mean squared and absolute error over all windows of the validation and of the test part.

        Args:
            forecasts: made at every hour from `first` on, [series, origin, horizon].
            horizon: steps ahead.
            first: hour of the first forecast's origin.
        """
        result: dict[str, Any] = {"errors": {}}
        for name, begin, end in (("validation", TRAINING, TEST), ("test", TEST, END)):
            origins = np.arange(begin - 1, end - horizon)
            actual = np.lib.stride_tricks.sliding_window_view(self.values, horizon, axis=1)[:, origins + 1]
            error = forecasts[:, origins - first] - actual
            squares = np.square(error).mean(axis=(0, 2))
            result[name] = {"mse": round(float(squares.mean()), 5), "mae": round(float(np.abs(error).mean()), 5)}
            result["errors"][name] = " ".join(f"{value:.4g}" for value in squares)
        return result


def load_electricity(columns: str) -> Electricity:
    """The catalogue's data set `etth1`, each column standardised by its training part.

    Args:
        columns: "seven", or "ot" for the oil temperature alone.
    """
    table = load_etth1()
    table = table.truncate(np.full(table.n_series, END))
    if columns == "ot":
        table = table.select([table.index_of("OT")])
    y = table.y.reshape(table.n_series, -1)
    training = y[:, :TRAINING]
    standard = (y - training.mean(axis=1, keepdims=True)) / training.std(axis=1, keepdims=True)
    return Electricity(replace(table, y=standard.reshape(-1)))
