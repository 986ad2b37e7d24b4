"""What a forecasting network says of the steps ahead, as arrays: after some origins, or at many rows of a table."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recurra.data.preparation.reference import Array
from recurra.data.preparation.rows import Rows


class Answer(NamedTuple):
    """What is said of the steps after some origins: quantiles [n, steps, levels] and means [n, steps]."""

    quantiles: Array
    mean: Array

    def only(self, begun: npt.NDArray[np.bool_]) -> "Answer":
        """NaN for the origins of series that have no level yet: whatever the network says there is a guess."""
        if begun.all():
            return self
        return Answer(
            np.where(begun[:, None, None], self.quantiles, np.nan), np.where(begun[:, None], self.mean, np.nan)
        )


@dataclass(frozen=True)
class Hindcast:
    """Forecasts made at many origins of a table, each from its own past.

    Args:
        rows: row of the table that each forecast was made at, [n].
        quantiles: [n, horizon, levels]; NaN for steps whose future covariates lie beyond the table.
        actual: what came, NaN where missing or beyond the table, [n, horizon].
        mean: the means, [n, horizon].
        ranks: probability integral transform of what came, [n, horizon]; where each lay in its forecast.
    """

    rows: Rows
    levels: tuple[float, ...]
    quantiles: Array
    actual: Array
    mean: Array
    ranks: Array

    @property
    def median(self) -> Array:
        """The point forecasts, [n, horizon]."""
        middle: Array = self.quantiles[:, :, self.levels.index(0.5)]
        return middle
