"""A trained forecasting network as an answering object: a table in, dated quantiles out."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from recurra.data.columns import TablePolicy
from recurra.data.forecasts import Forecasts
from recurra.data.preparation import Origins, Preparation, PreparedRows
from recurra.data.preparation.reference import Array
from recurra.data.preparation.rows import Rows
from recurra.data.series import SeriesTable
from recurra.data.targets import split_id
from recurra.errors import ConfigError
from recurra.models.forecast import ForecastNetwork, ForecastShape, State, join_states
from recurra.prediction.fingerprint import fingerprint
from recurra.prediction.future import FutureReader
from recurra.shapes import Tensor

ROWS_AT_ONCE = 200_000
QUANTILES_AT_ONCE = 4_000_000
LINEAR = "preparation.linear"


@dataclass(frozen=True)
class Hindcast:
    """Forecasts made at many origins of a table, each from its own past.

    Args:
        rows: row of the table that each forecast was made at, [n].
        quantiles: [n, horizon, levels]; NaN for steps whose future covariates lie beyond the table.
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
        return fingerprint(self.to_config(), self.to_tensors())

    def forecasts(self, table: SeriesTable, future: object = None, tables: TablePolicy | None = None) -> Forecasts:
        """Forecasts of the `horizon` steps after the last row of each series.

        Args:
            table: the rows so far.
            future: any table with the covariates known in advance of those steps; needed if the model was trained
                with any.
            tables: what to do about the blemishes of that table.

        Raises:
            TableError: if future covariates are needed and not given, or do not begin after the last row.
        """
        ds = table.future_ds(self.shape.horizon)
        ahead = FutureReader(self.preparation.spec, table.columns, tables or TablePolicy()).read(future, table.ids, ds)
        parts = []
        for part, piece in _pieces(table):
            steps = slice(part.start * self.shape.horizon, part.stop * self.shape.horizon)
            prepared = self.preparation.rows(piece, {name: values[steps] for name, values in ahead.items()} or None)
            output, _ = self._run(prepared)
            parts.append(self._quantiles(prepared, prepared.last_rows, output))
        return self.as_forecasts(table.ids, ds, np.concatenate(parts))

    def hindcast(self, table: SeriesTable, first: Rows) -> Hindcast:
        """Forecasts at every row of each series from its row number `first` on, in one pass.

        Args:
            table: the rows; each forecast uses those up to its own row, and the future covariates after it.
            first: row number within each series, from 0, [series].

        Raises:
            ConfigError: for a negative row number.
        """
        if np.any(first < 0):
            raise ConfigError(f"the first row to forecast from must be 0 or more, not {int(np.min(first))}")
        found = [self._hindcast(piece, first[part], int(table.offsets[part.start])) for part, piece in _pieces(table)]
        rows, quantiles, actual = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        return Hindcast(rows, self.shape.levels, quantiles, actual)

    def _hindcast(self, table: SeriesTable, first: Rows, offset: int) -> tuple[Rows, Array, Array]:
        prepared = self.preparation.rows(table)
        ends = prepared.offsets[1:]
        rows = np.flatnonzero(np.arange(len(table)) >= np.repeat(prepared.offsets[:-1] + first, table.lengths))
        output, _ = self._run(prepared)
        quantiles = self._quantiles(prepared, rows, output)
        if self.preparation.spec.future:
            beyond = rows[:, None] + np.arange(1, self.shape.horizon + 1) >= ends[prepared.owner[rows]][:, None]
            quantiles[beyond] = np.nan
        return rows + offset, quantiles, self.preparation.in_units(prepared.targets(rows, ends))

    def as_forecasts(self, ids: Sequence[str | int], ds: np.ndarray[Any, Any], quantiles: Array) -> Forecasts:
        """Quantiles with their dates and means."""
        return Forecasts(tuple(ids), ds, self.shape.levels, quantiles, quantiles @ self._mean_weights)

    @torch.inference_mode()
    def quantiles_from(self, h: Tensor, origins: Origins, future: Array) -> Array:
        """Quantiles in the units of the series from states and what may be looked at, [n, horizon, levels]."""
        spec = self.preparation.spec
        known = torch.from_numpy(future) if self.shape.n_future else None
        reference = self.preparation.rule.ahead(origins.lookback, origins.shift, spec.horizon)
        corrections: Array = self.network.quantiles(h, known).numpy()
        return self.preparation.in_units(reference[:, :, None] + origins.step[:, None, None] * corrections)

    def _quantiles(self, prepared: PreparedRows, rows: Rows, output: Tensor) -> Array:
        stride = max(1, QUANTILES_AT_ONCE // (self.shape.horizon * len(self.shape.levels)))
        parts = [np.zeros((0, self.shape.horizon, len(self.shape.levels)))]
        for begin in range(0, len(rows), stride):
            block = rows[begin : begin + stride]
            parts.append(
                self.quantiles_from(output[torch.as_tensor(block)], prepared.origins(block), prepared.future(block))
            )
        return np.concatenate(parts)

    @torch.inference_mode()
    def _run(self, prepared: PreparedRows) -> tuple[Tensor, State]:
        """The network's output at every row [rows, hidden], its state after each series [layers, series, hidden]."""
        rows, lengths = _grid(prepared)
        x = torch.from_numpy(prepared.inputs(rows.reshape(-1)).reshape(*rows.shape, -1))
        output, state = self.network.states(x, None, torch.from_numpy(lengths))
        return output[torch.from_numpy(np.arange(rows.shape[1]) < lengths[:, None])], state

    def last_state(self, table: SeriesTable) -> State:
        """The recurrent state after each series' last row, [layers, series, hidden]."""
        return join_states([self._run(self.preparation.rows(piece))[1] for _, piece in _pieces(table)])

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


def _pieces(table: SeriesTable) -> list[tuple[slice, SeriesTable]]:
    """The table in pieces of whole series that fit into memory, and which series each holds; kin stay together."""
    lengths, kin = table.lengths, len(table.columns.targets) > 1
    cuts = [0]
    for i in range(1, table.n_series):
        if kin and split_id(table.ids[i])[0] == split_id(table.ids[i - 1])[0]:
            continue
        if (i + 1 - cuts[-1]) * int(lengths[cuts[-1] : i + 1].max()) > ROWS_AT_ONCE:
            cuts.append(i)
    if len(cuts) == 1:
        return [(slice(0, table.n_series), table)]
    bounds = zip(cuts, [*cuts[1:], table.n_series], strict=True)
    return [(slice(begin, end), table.select(np.arange(begin, end))) for begin, end in bounds]
