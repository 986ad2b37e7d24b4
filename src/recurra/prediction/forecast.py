"""A trained forecasting network as an answering object: a table in, dated quantiles out."""

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from recurra.data.forecasts import Forecasts
from recurra.data.preparation import Origins, Preparation, PreparedRows
from recurra.data.preparation.reference import Array
from recurra.data.preparation.rows import Rows
from recurra.data.series import SeriesTable
from recurra.errors import TableError
from recurra.models.forecast import ForecastNetwork, ForecastShape, State
from recurra.shapes import Tensor

ROWS_AT_ONCE = 200_000
QUANTILES_AT_ONCE = 4_000_000
LINEAR = "preparation.linear"


@dataclass(frozen=True)
class Hindcast:
    """Forecasts made at many origins of a table, each from its own past.

    Args:
        rows: row of the table that each forecast was made at, [n].
        quantiles: [n, horizon, levels].
        actual: what came, NaN where missing or beyond the table, [n, horizon].
    """

    rows: Rows
    levels: tuple[float, ...]
    quantiles: Array
    actual: Array

    @property
    def median(self) -> Array:
        """The point forecasts, [n, horizon]."""
        middle: Array = self.quantiles[:, :, self.levels.index(0.5)]
        return middle


class ForecastPredictor:
    """Answers with forecasts; the recurrence runs from each series' first row, as a stream does.

    Predictions are computed in float64, whatever the network was trained in, so that a stream and a
    whole table agree far beyond the digits of any table.

    Args:
        preparation: fitted preparation of the inputs.
        network: the trained network; a float64 copy is made.
    """

    def __init__(self, preparation: Preparation, network: ForecastNetwork) -> None:
        self.preparation = preparation
        self.network = copy.deepcopy(network).to(device="cpu", dtype=torch.float64).eval()
        self.shape: ForecastShape = network.shape
        self._mean_weights = mean_weights(self.shape.levels)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over configuration and weights: two predictors with one fingerprint answer alike."""
        digest = hashlib.sha256(json.dumps(self.to_config(), sort_keys=True).encode())
        for name, tensor in sorted(self.to_tensors().items()):
            digest.update(name.encode() + tensor.numpy().tobytes())
        return digest.hexdigest()

    def forecasts(self, table: SeriesTable, future: SeriesTable | None = None) -> Forecasts:
        """Forecasts of the `horizon` steps after the last row of each series.

        Args:
            table: the rows so far.
            future: covariates known in advance of those steps; needed if the model was trained with any.

        Raises:
            TableError: if future covariates are needed and not given, or do not begin after the last row.
        """
        self._check_future(table, future)
        parts = [self._last(*part) for part in _parts(table, future)]
        quantiles = np.concatenate(parts)
        return self.as_forecasts(table.ids, table.future_ds(self.shape.horizon), quantiles)

    def hindcast(self, table: SeriesTable, first: Rows) -> Hindcast:
        """Forecasts at every row of each series from its row number `first` on, in one pass.

        Args:
            table: the rows; each forecast uses those up to its own row, and the future covariates after it.
            first: row number within each series, [series].
        """
        prepared = self.preparation.rows(table)
        begins = prepared.offsets[:-1] + first
        rows = np.concatenate([np.arange(b, e) for b, e in zip(begins, prepared.offsets[1:], strict=True)])
        h = self._outputs(prepared)
        quantiles = self._quantiles(prepared, rows, h[torch.as_tensor(rows)])
        return Hindcast(rows, self.shape.levels, quantiles, prepared.targets(rows, prepared.offsets[1:]))

    def as_forecasts(self, ids: Sequence[str | int], ds: np.ndarray[Any, Any], quantiles: Array) -> Forecasts:
        """Quantiles with their dates and means."""
        return Forecasts(tuple(ids), ds, self.shape.levels, quantiles, quantiles @ self._mean_weights)

    @torch.inference_mode()
    def quantiles_from(self, h: Tensor, origins: Origins, future: Array) -> Array:
        """Quantiles in the units of the series from states and what may be looked at, [n, horizon, levels]."""
        spec = self.preparation.spec
        known = torch.from_numpy(future) if self.shape.n_future else None
        reference = self.preparation.rule.ahead(origins.lookback, origins.shift, spec.horizon)
        level_gap = (origins.shift[:, None] - reference) / origins.step[:, None]
        corrections: Array = self.network.quantiles(h, torch.from_numpy(level_gap), known).numpy()
        return reference[:, :, None] + origins.step[:, None, None] * corrections

    def _last(self, table: SeriesTable, future: SeriesTable | None) -> Array:
        prepared = self.preparation.rows(table, future)
        h = self._outputs(prepared)
        return self._quantiles(prepared, prepared.last_rows, h[torch.as_tensor(prepared.last_rows)])

    def _quantiles(self, prepared: PreparedRows, rows: Rows, h: Tensor) -> Array:
        stride = max(1, QUANTILES_AT_ONCE // (self.shape.horizon * len(self.shape.levels)))
        blocks = [slice(i, i + stride) for i in range(0, len(rows), stride)]
        parts = [
            self.quantiles_from(h[block], prepared.origins(rows[block]), prepared.future(rows[block]))
            for block in blocks
        ]
        return np.concatenate(parts)

    @torch.inference_mode()
    def _outputs(self, prepared: PreparedRows) -> Tensor:
        """The network's output at every row, [rows, hidden]."""
        rows, lengths = _grid(prepared)
        x = torch.from_numpy(prepared.inputs(rows.reshape(-1)).reshape(*rows.shape, -1))
        output, _ = self.network.states(x, None, torch.from_numpy(lengths))
        return output[torch.from_numpy(np.arange(rows.shape[1]) < lengths[:, None])]

    def _check_future(self, table: SeriesTable, future: SeriesTable | None) -> None:
        if self.preparation.spec.future:
            self.future_rows(future, table.ids, table.future_ds(self.shape.horizon))

    def future_rows(self, future: SeriesTable | None, names: Sequence[str | int], ds: np.ndarray[Any, Any]) -> Rows:
        """Rows of the table of future covariates that belong to some series' next steps, [series * horizon].

        Args:
            future: the table that was handed in.
            names: the series.
            ds: their next stamps, [series, horizon].

        Raises:
            TableError: if there is no such table, or it does not begin right after each series' last row.
        """
        if future is None:
            raise TableError(
                f"this model needs the columns {', '.join(self.preparation.spec.future)} of the next "
                f"{self.shape.horizon} steps: hand them in as a second table (future=)"
            )
        rows = []
        for name, expected in zip(names, ds, strict=True):
            begin = int(future.offsets[future.index_of(name)]) if name in future.ids else len(future.ds)
            end = int(future.offsets[future.index_of(name) + 1]) if name in future.ids else len(future.ds)
            given = future.ds[begin : min(end, begin + len(expected))]
            if not np.array_equal(given, expected):
                raise TableError(
                    f"series {name!r}: the table of future covariates must have the {len(expected)} rows "
                    f"{expected[0]} ... {expected[-1]}; it has {end - begin} rows"
                    + (f" from {given[0]}" if len(given) else "")
                )
            rows.append(np.arange(begin, begin + len(expected)))
        return np.concatenate(rows)

    @torch.inference_mode()
    def last_state(self, table: SeriesTable) -> State:
        """The recurrent state after each series' last row, [layers, series, hidden]."""
        prepared = self.preparation.rows(table)
        rows, lengths = _grid(prepared)
        x = torch.from_numpy(prepared.inputs(rows.reshape(-1)).reshape(*rows.shape, -1))
        return self.network.states(x, None, torch.from_numpy(lengths))[1]

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""
        return {"network": asdict(self.shape), "preparation": self.preparation.to_config()}

    def to_tensors(self) -> dict[str, Tensor]:
        """The weights, in the float32 they were trained in, and those of the linear rule in float64."""
        tensors = {name: tensor.to(torch.float32) for name, tensor in self.network.state_dict().items()}
        if self.preparation.linear is not None:
            tensors[LINEAR] = torch.from_numpy(self.preparation.linear)
        return tensors

    @classmethod
    def from_saved(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "ForecastPredictor":
        """The predictor whose configuration and weights were saved."""
        shape = ForecastShape(**{**config["network"], "levels": tuple(config["network"]["levels"])})
        with torch.random.fork_rng(devices=[]):
            network = ForecastNetwork(shape)
        network.load_state_dict({name: tensor for name, tensor in tensors.items() if name != LINEAR})
        linear = tensors[LINEAR].numpy() if LINEAR in tensors else None
        return cls(Preparation.from_config(config["preparation"], linear), network)


def mean_weights(levels: Sequence[float]) -> Array:
    """Weights that make the mean of a distribution from its quantiles: the trapezoid rule, flat tails.

    >>> mean_weights([0.25, 0.5, 0.75]).tolist()
    [0.375, 0.25, 0.375]
    """
    edges = np.concatenate([[0.0], (np.array(levels[1:]) + np.array(levels[:-1])) / 2, [1.0]])
    return np.diff(edges)


def _grid(prepared: PreparedRows) -> tuple[Rows, Rows]:
    """Rows of each series side by side, the last one repeated to the longest; and their lengths."""
    lengths = np.diff(prepared.offsets)
    steps = np.arange(int(lengths.max()))
    return prepared.offsets[:-1, None] + np.minimum(steps, lengths[:, None] - 1), lengths


def _parts(table: SeriesTable, future: SeriesTable | None) -> list[tuple[SeriesTable, SeriesTable | None]]:
    """The table in pieces of whole series that fit into memory, with the future rows in the same order."""
    lengths = table.lengths
    cuts = [0]
    for i in range(1, table.n_series):
        if (i + 1 - cuts[-1]) * int(lengths[cuts[-1] : i + 1].max()) > ROWS_AT_ONCE:
            cuts.append(i)
    bounds = list(zip(cuts, [*cuts[1:], table.n_series], strict=True))
    if len(bounds) == 1 and future is None:
        return [(table, None)]
    parts: list[tuple[SeriesTable, SeriesTable | None]] = []
    for begin, end in bounds:
        piece = table.select(np.arange(begin, end))
        ahead = None
        if future is not None:
            ahead = future.select(np.array([future.index_of(name) for name in piece.ids]))
        parts.append((piece, ahead))
    return parts
