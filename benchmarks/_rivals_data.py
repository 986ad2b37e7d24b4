"""What both sides of the rivals benchmark are given: ETTh1, standardised by its first 12 months."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recurra.data.catalogue import load_etth1
from recurra.data.series import SeriesTable

MONTH = 30 * 24
TRAIN, VALIDATION, TEST = 12 * MONTH, 16 * MONTH, 20 * MONTH
CONTEXT, HORIZON = 336, 96


class Rivals(NamedTuple):
    """ETTh1 in standard units.

    Attributes:
        table: 20 months of seven series.
        origins: rows before each forecast: every 24 hours of the last four months.
    """

    table: SeriesTable
    origins: npt.NDArray[np.int64]

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """[series, rows]."""
        return self.table.y.reshape(self.table.n_series, -1)


def load_rivals() -> Rivals:
    """The catalogue's ETTh1; every series less its mean over the first 12 months, by its deviation there."""
    table = load_etth1()
    table = table.truncate(np.full(table.n_series, TEST))
    values = table.y.reshape(table.n_series, TEST)
    begun = values[:, :TRAIN]
    values = (values - begun.mean(1, keepdims=True)) / begun.std(1, keepdims=True)
    return Rivals(replace(table, y=values.reshape(-1)), np.arange(VALIDATION, TEST - HORIZON + 1, 24))
