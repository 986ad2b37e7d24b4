"""Scaling of targets, fixed at fit on the training rows; the causal one is `data.preparation.running`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from recurra.data.series import SeriesTable
from recurra.errors import ConfigError, NotFittedError, TableError

Floats = npt.NDArray[np.float64]
ScalingKind: TypeAlias = Literal["standard", "mean_abs", "robust", "none"]

_IQR_OF_NORMAL: Final = 1.3489795003921634  # distance between the quartiles of a normal distribution, in sigmas
_ROUNDING: Final = 8 * np.finfo(np.float64).eps


class SeriesScaler:
    """One shift and one scale per series, computed once, on training rows only.

        z = (y - shift) / scale        y = shift + scale z

    | kind | shift | scale |
    |---|---|---|
    | "standard" | mean | standard deviation (of all rows, not n - 1) |
    | "mean_abs" | 0 | mean of the absolute values |
    | "robust" | median | distance between the quartiles / 1.349; the standard deviation where that is 0 |
    | "none" | 0 | 1 |

    A constant series, and one with no value at all, has scale 1; one with no value has shift 0. Masked rows take no
    part.

    Args:
        kind: see the table.

    Raises:
        ConfigError: for an unknown kind.
    """

    def __init__(self, kind: ScalingKind = "standard") -> None:
        if kind not in get_args(ScalingKind):
            raise ConfigError(f"unknown scaling {kind!r}; use one of {', '.join(map(repr, get_args(ScalingKind)))}")
        self.kind = kind
        self._statistics: dict[str | int, tuple[float, float]] | None = None

    def fit(self, table: SeriesTable) -> "SeriesScaler":
        """Take shift and scale of each series from these rows, which must be training rows only."""
        self._statistics = {id: _shift_scale(table.series(i).y, self.kind) for i, id in enumerate(table.ids)}
        return self

    def statistics(self, id: str | int) -> tuple[float, float]:
        """Shift and scale of a series, in the units of the target.

        Raises:
            NotFittedError: before `fit`.
            TableError: for a series that was not in the training rows.
        """
        if self._statistics is None:
            raise NotFittedError("the scaler has no statistics yet; call fit(table) first")
        if id not in self._statistics:
            raise TableError(f"series {id!r} was not among the training rows, so it has no scale; fit with it")
        return self._statistics[id]

    def parameters(self, ids: Sequence[str | int]) -> tuple[Floats, Floats]:
        """Shift and scale of several series: two arrays [N]."""
        pairs = np.array([self.statistics(id) for id in ids], np.float64).reshape(-1, 2)
        return pairs[:, 0].copy(), pairs[:, 1].copy()

    def transform(self, values: npt.ArrayLike, ids: Sequence[str | int]) -> Floats:
        """Scaled values.

        Args:
            values: [N, ...] in the units of the target, the first axis along `ids`; NaN stays NaN.
            ids: [N].
        """
        y = np.asarray(values, np.float64)
        shift, scale = self._broadcast(y, ids)
        return np.asarray((y - shift) / scale)

    def inverse(self, values: npt.ArrayLike, ids: Sequence[str | int]) -> Floats:
        """Scaled values [N, ...] back in the units of the target."""
        z = np.asarray(values, np.float64)
        shift, scale = self._broadcast(z, ids)
        return np.asarray(shift + scale * z)

    def transform_table(self, table: SeriesTable) -> Floats:
        """The scaled target of every row of a table, [rows]."""
        shift, scale = self.parameters(table.ids)
        rows = table.series_of_rows
        return np.asarray((table.y - shift[rows]) / scale[rows])

    def to_config(self) -> dict[str, Any]:
        """Everything as JSON values; floats survive the round trip exactly."""
        statistics = None if self._statistics is None else [[id, *pair] for id, pair in self._statistics.items()]
        return {"kind": self.kind, "statistics": statistics}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "SeriesScaler":
        """What `to_config` wrote."""
        scaler = cls(config["kind"])
        if config["statistics"] is not None:
            scaler._statistics = {id: (float(shift), float(scale)) for id, shift, scale in config["statistics"]}
        return scaler

    def _broadcast(self, values: Floats, ids: Sequence[str | int]) -> tuple[Floats, Floats]:
        shift, scale = self.parameters(ids)
        shape = (len(ids),) + (1,) * (values.ndim - 1)
        return shift.reshape(shape), scale.reshape(shape)


def _shift_scale(y: Floats, kind: ScalingKind) -> tuple[float, float]:
    """Shift and scale of one series."""
    known = y[~np.isnan(y)]
    if kind == "none" or known.size == 0:
        return 0.0, 1.0
    largest = float(np.abs(known).max())
    if kind == "mean_abs":
        return 0.0, float(np.abs(known).mean()) if largest > 0 else 1.0
    center = float(known.mean())
    if known.min() == known.max():
        return float(known[0]), 1.0
    scale = float(known.std())
    if kind == "robust":
        low, center, high = (float(q) for q in np.quantile(known, (0.25, 0.5, 0.75)))
        scale = (high - low) / _IQR_OF_NORMAL or scale
    return (center, scale) if scale > _ROUNDING * largest else (center, 1.0)
