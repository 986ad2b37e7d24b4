"""A trained forecasting network as an answering object: a table in, dated quantiles out."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from recurra.data.columns import TablePolicy
from recurra.data.forecasts import Forecasts
from recurra.data.preparation import Origins, Preparation, PreparedRows, StreamedRows
from recurra.data.preparation.reference import Array
from recurra.data.preparation.rows import Rows
from recurra.data.preparation.units import LOG
from recurra.data.series import SeriesTable
from recurra.data.targets import split_id
from recurra.errors import ConfigError
from recurra.models.distributions import Distribution, PiecewiseQuantiles
from recurra.models.distributions.log_units import ExpMinusOne
from recurra.models.forecast import (
    AnyForecastNetwork,
    DirectHead,
    ForecastNetwork,
    ForecastShape,
    QuantileOutput,
    RulePath,
    State,
    build_forecast_network,
    join_states,
    mean_weights,
)
from recurra.prediction.answers import Answer, Hindcast
from recurra.prediction.conformal import Conformal
from recurra.prediction.copula import Copula
from recurra.prediction.feedback import Start, answer_beyond, parts_of, start_at, with_kin
from recurra.prediction.fingerprint import fingerprint
from recurra.prediction.future import FutureReader
from recurra.prediction.head import ArrayHead
from recurra.shapes import Tensor

ROWS_AT_ONCE = 200_000
QUICK_OUTPUTS = ("quantiles", "normal", "log_normal")
FED_BACK, SEARCHED = 400, 2_000
QUANTILES_AT_ONCE = 4_000_000
LINEAR, COPULA, MARGINS = "preparation.linear", "copula", "conformal.margins"
LATER = ("decoder", "output", "components", "options", "lookback", "segment")
"""Sizes that the first networks did not have; they are left out of a folder where they are what those had."""


class ForecastPredictor:
    """Answers with forecasts; the recurrence runs from each series' first row, as a stream does.

    Predictions are computed in float64, whatever the network was trained in, so that a stream and a
    whole table agree far beyond the digits of any table.

    Args:
        preparation: fitted preparation of the inputs.
        network: the trained network; a float64 copy is made.
        horizon: steps to answer with; steps beyond the network's own are forecast by feeding back.
        copula: how the steps ahead hang together; by default like those of a random walk.
        conformal: margins of the quantiles, if they are calibrated.
        lineage: fingerprint of the model that this one was updated from, if it was.
    """

    def __init__(
        self,
        preparation: Preparation,
        network: AnyForecastNetwork,
        horizon: int | None = None,
        copula: Copula | None = None,
        conformal: Conformal | None = None,
        lineage: str | None = None,
    ) -> None:
        self.preparation = preparation
        self.network = copy.deepcopy(network).to(device="cpu", dtype=torch.float64).eval()
        self.shape: ForecastShape = network.shape
        self.horizon = self.shape.horizon if horizon is None else horizon
        self._copula, self.conformal, self._lineage = copula, conformal, lineage

    @property
    def copula(self) -> Copula:
        """How the steps that the network forecasts at once hang together."""
        return self._copula or Copula.like_random_walk(self.shape.horizon)

    def _said(self, distribution: Distribution) -> tuple[Array, Array]:
        with torch.inference_mode():
            return distribution.quantile(self.shape.levels).numpy(), distribution.mean.numpy()

    @property
    def is_direct(self) -> bool:
        """Whether the network forecasts all steps at once, so that nothing needs to be fed back."""
        return self.horizon == self.shape.horizon

    @property
    def affordable(self) -> int | None:
        """Origins to hindcast where not all are wanted: None for all, fewer if answers are fed back or searched for."""
        if not self.is_direct:
            return FED_BACK
        return None if self.shape.output in QUICK_OUTPUTS else SEARCHED

    def with_(self, copula: Copula | None, conformal: Conformal | None) -> "ForecastPredictor":
        """The same network with what was learned of its held-out forecasts."""
        return ForecastPredictor(self.preparation, self.network, self.horizon, copula, conformal)

    def with_network(self, network: AnyForecastNetwork) -> "ForecastPredictor":
        """The same predictor with a network of the same shape that has learned more."""
        return ForecastPredictor(
            self.preparation, network, self.horizon, self._copula, self.conformal, lineage=self.lineage
        )

    def with_margins(self, conformal: Conformal | None) -> "ForecastPredictor":
        """The same predictor with other margins of its quantiles."""
        return self.with_(self._copula, conformal)

    @property
    def lineage(self) -> str:
        """Fingerprint of the model as it was fitted, which updates leave as it is: their states can be carried on."""
        return self._lineage or self.fingerprint

    @property
    def fingerprint(self) -> str:
        """SHA-256 over configuration and weights: two predictors with one fingerprint answer alike."""
        return fingerprint(self.to_config(), self.to_tensors())

    def forecasts(
        self, table: SeriesTable, future: object = None, tables: TablePolicy | None = None, horizon: int | None = None
    ) -> Forecasts:
        """Forecasts of the `horizon` steps after the last row of each series.

        Args:
            table: the rows so far.
            future: any table with the covariates known in advance of those steps; needed if the model was trained
                with any.
            tables: what to do about the blemishes of that table.
            horizon: steps, if not those that the model was fitted for; more are forecast by feeding back.

        Raises:
            TableError: if future covariates are needed and not given, or do not begin after the last row.
            ConfigError: if more steps cannot be fed back.
        """
        ds, known = self.steps_after(table, future, tables, horizon)
        parts = [self._last_answer(piece, known[part]) for part, piece in _pieces(table)]
        quantiles, mean = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return self.as_forecasts(table.ids, ds, Answer(quantiles, mean))

    def steps_after(
        self, table: SeriesTable, future: object, tables: TablePolicy | None, horizon: int | None
    ) -> tuple[np.ndarray[Any, Any], Array]:
        """The steps after the last row of each series, and what is known of them: [n, steps] and [n, steps, K]."""
        steps = self.horizon if horizon is None else horizon
        if steps < 1:
            raise ConfigError(f"horizon is {steps}; it must be at least 1")
        ds = table.future_ds(steps)
        reader = FutureReader(self.preparation.spec, table.columns, tables or TablePolicy())
        covariates, ends = reader.read(future, table.ids, ds), table.offsets[1:] - 1
        since = {name: gap[ends] for name, gap in self.preparation.gaps(table).items()}
        encoded = self.preparation.future_inputs(covariates, since, *ds.shape)
        calendar = self.preparation.calendar(ds.reshape(-1)).reshape(*ds.shape, -1)
        return ds, np.concatenate([calendar, encoded], axis=2)

    def _last_answer(self, table: SeriesTable, known: Array) -> Answer:
        prepared = self.preparation.rows(table)
        output, state, lengths = self._over(prepared)
        h = torch.from_numpy(output.numpy()[np.arange(len(lengths)), lengths - 1])
        origins = prepared.origins(prepared.last_rows)
        if known.shape[1] <= self.shape.horizon:
            return self.answer(h, origins, known)
        start = Start(StreamedRows.after(self.preparation, table), state)
        return answer_beyond(self, h, origins, known, start)

    def hindcast(self, table: SeriesTable, first: Rows, most: int | None = None) -> Hindcast:
        """Forecasts at every row of each series from its row number `first` on, in one pass.

        Args:
            table: the rows; each forecast uses those up to its own row, and the future covariates after it.
            first: row number within each series, from 0, [series].
            most: so many evenly spaced ones of these rows, of each piece of the table that is worked on; None for all.

        Raises:
            ConfigError: for a negative row number.
        """
        if np.any(first < 0):
            raise ConfigError(f"the first row to forecast from must be 0 or more, not {int(np.min(first))}")
        found = [
            self._hindcast(piece, first[part], int(table.offsets[part.start]), most) for part, piece in _pieces(table)
        ]
        rows, quantiles, actual, mean, ranks = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        return Hindcast(rows, self.shape.levels, quantiles, actual, mean, ranks)

    def _hindcast(
        self, table: SeriesTable, first: Rows, offset: int, most: int | None
    ) -> tuple[Rows, Array, Array, Array, Array]:
        ahead = replace(self.preparation, spec=replace(self.preparation.spec, horizon=self.horizon)).rows(table)
        ends = ahead.offsets[1:]
        rows = np.flatnonzero(np.arange(len(table)) >= np.repeat(ahead.offsets[:-1] + first, table.lengths))
        if most is not None and len(rows) > most:
            rows = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
        actual = self.preparation.in_units(ahead.targets(rows, ends))
        if self.horizon > self.shape.horizon:
            quantiles, mean, ranks = self._hindcast_beyond(table, ahead, rows, actual)
        else:
            quantiles, mean, ranks = self._hindcast_rows(ahead, rows, actual)
        if self.preparation.spec.future:
            beyond = rows[:, None] + np.arange(1, self.horizon + 1) >= ends[ahead.owner[rows]][:, None]
            quantiles[beyond] = mean[beyond] = ranks[beyond] = np.nan
        return rows + offset, quantiles, actual, mean, ranks

    def _hindcast_rows(self, prepared: PreparedRows, rows: Rows, actual: Array) -> tuple[Array, Array, Array]:
        output, _ = self._run(prepared)
        stride = max(1, QUANTILES_AT_ONCE // (self.horizon * len(self.shape.levels)))
        parts = [(np.zeros((0, self.horizon, len(self.shape.levels))), *(np.zeros((0, self.horizon)),) * 2)]
        for begin in range(0, len(rows), stride):
            block = slice(begin, begin + stride)
            h, origins = output[torch.as_tensor(rows[block])], prepared.origins(rows[block])
            with torch.inference_mode():
                distribution = self.distribution(h, origins, prepared.future(rows[block]))
                ranks = distribution.rank(torch.from_numpy(actual[block])).numpy()
            answer = Answer(*self._said(distribution)).only(origins.begun)
            parts.append((*answer, np.where(np.isnan(actual[block]) | np.isnan(answer.mean), np.nan, ranks)))
        quantiles, mean, ranks = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return quantiles, mean, ranks

    def _hindcast_beyond(
        self, table: SeriesTable, ahead: PreparedRows, rows: Rows, actual: Array
    ) -> tuple[Array, Array, Array]:
        everyone, places = with_kin(ahead, rows)
        start = start_at(self, table, everyone)
        h, origins = parts_of(start.state)[0][-1], start.rows.origins(np.arange(len(everyone)))
        answer = Answer(*(part[places] for part in answer_beyond(self, h, origins, ahead.future(everyone), start)))
        below = PiecewiseQuantiles(self.shape.levels, torch.from_numpy(answer.quantiles), torch.from_numpy(answer.mean))
        ranks = below.rank(torch.from_numpy(actual)).numpy()
        return answer.quantiles, answer.mean, np.where(np.isnan(actual) | np.isnan(answer.mean), np.nan, ranks)

    def as_forecasts(self, ids: Sequence[str | int], ds: np.ndarray[Any, Any], answer: Answer) -> Forecasts:
        """An answer with its names and dates."""
        return Forecasts(tuple(ids), ds, self.shape.levels, answer.quantiles, answer.mean)

    @torch.inference_mode()
    def distribution(self, h: Tensor, origins: Origins, known: Array) -> Distribution:
        """Distributions of the steps that the network forecasts at once, in the units of the series, [n, horizon].

        Args:
            h: outputs of the network at the origins.
            origins: what may be looked at.
            known: of the steps ahead, [n, steps, K]; where there are fewer steps than the network forecasts, what it
                says of the others means nothing.
        """
        horizon = self.shape.horizon
        if known.shape[1] < horizon:
            known = np.concatenate([known, np.repeat(known[:, -1:], horizon - known.shape[1], axis=1)], axis=1)
        future = torch.from_numpy(known[:, :horizon]) if self.shape.n_future else None
        lookback = self.shape.lookback
        window = torch.from_numpy(origins.window(lookback)) if lookback else None
        ahead = self.preparation.rule.ahead(origins.lookback, origins.shift, horizon)
        columns = (ahead, origins.step[:, None], origins.scale[:, None])
        path = RulePath(*(torch.from_numpy(column) for column in columns))
        said = self.network.output.distribution(self.network.raw(h, future, window), path)
        if self.conformal is not None and self.horizon == horizon:
            quantiles = self.conformal.apply(said.quantile(self.shape.levels).numpy(), origins.step)
            if self.network.output.positive:
                quantiles = quantiles.clip(0.0)
            said = PiecewiseQuantiles(self.shape.levels, torch.from_numpy(quantiles), said.mean)
        return self.in_table_units(said)

    def in_table_units(self, said: Distribution) -> Distribution:
        """What the network says in the units of the series; it speaks of logarithms under a log scale."""
        if self.preparation.spec.scaling != LOG:
            return said
        return ExpMinusOne(said, self.shape.levels, mean_weights(self.shape.levels))

    def answer(self, h: Tensor, origins: Origins, known: Array) -> Answer:
        """Quantiles and means of at most the steps that the network forecasts at once.

        Args:
            h: outputs of the network at the origins.
            origins: what may be looked at.
            known: of the steps ahead, [n, steps, K].
        """
        steps, horizon = known.shape[1], self.shape.horizon
        if self._array_head is not None and steps == horizon:
            ahead = self.preparation.rule.ahead(origins.lookback, origins.shift, horizon)
            quantiles = origins.step[:, None, None] * self._array_head.quantiles(h.numpy(), known)
            quantiles += ahead[..., None]
            return Answer(quantiles, quantiles @ self._mean_weights).only(origins.begun)
        quantiles, mean = self._said(self.distribution(h, origins, known))
        return Answer(quantiles[:, :steps], mean[:, :steps]).only(origins.begun)

    @cached_property
    def _array_head(self) -> ArrayHead | None:
        """The head on arrays, where its quantiles are the answer as they come."""
        network: Any = self.network
        plain = isinstance(network, ForecastNetwork) and isinstance(network.head, DirectHead)
        if not plain or type(network.output) is not QuantileOutput or self.preparation.spec.scaling == LOG:
            return None
        calibrated = self.conformal is not None and self.horizon == self.shape.horizon
        return None if calibrated else ArrayHead(network.head, network.output.middle)

    @cached_property
    def _mean_weights(self) -> Array:
        return np.array(mean_weights(self.shape.levels))

    @torch.inference_mode()
    def _over(self, prepared: PreparedRows) -> tuple[Tensor, State, Rows]:
        """The network's output [series, longest, hidden], its state after each series, and their lengths."""
        rows, lengths = _grid(prepared)
        x = torch.from_numpy(prepared.inputs(rows.reshape(-1)).reshape(*rows.shape, -1))
        ragged = int(lengths.min()) < rows.shape[1]
        return *self.network.states(x, None, torch.from_numpy(lengths) if ragged else None), lengths

    def _run(self, prepared: PreparedRows) -> tuple[Tensor, State]:
        """The network's output at every row [rows, hidden], its state after each series [layers, series, hidden]."""
        output, state, lengths = self._over(prepared)
        return output[torch.from_numpy(np.arange(output.shape[1]) < lengths[:, None])], state

    def last_state(self, table: SeriesTable) -> State:
        """The recurrent state after each series' last row, [layers, series, hidden]."""
        return join_states([self._run(self.preparation.rows(piece))[1] for _, piece in _pieces(table)])

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder; what is as it always was is left out: old folders keep their hash."""
        shape = {
            item.name: value
            for item, value in zip(fields(self.shape), asdict(self.shape).values(), strict=True)
            if item.name not in LATER or value not in (item.default, {})
        }
        config: dict[str, Any] = {"network": shape, "preparation": self.preparation.to_config()}
        if self.horizon != self.shape.horizon:
            config["horizon"] = self.horizon
        if self.conformal is not None:
            config["conformal_origins"] = self.conformal.origins
        if self._lineage is not None:
            config["lineage"] = self._lineage
        return config

    def to_tensors(self) -> dict[str, Tensor]:
        """The weights, in the float32 they were trained in; in float64 those of the linear rule, and margins."""
        tensors = {name: tensor.to(torch.float32) for name, tensor in self.network.state_dict().items()}
        if self.preparation.linear is not None:
            tensors[LINEAR] = torch.from_numpy(self.preparation.linear)
        if self._copula is not None:
            tensors[COPULA] = torch.from_numpy(self._copula.correlation)
        if self.conformal is not None:
            tensors[MARGINS] = torch.from_numpy(self.conformal.margins)
        return tensors

    @classmethod
    def from_saved(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "ForecastPredictor":
        """The predictor whose configuration and weights were saved."""
        shape = ForecastShape(**{**config["network"], "levels": tuple(config["network"]["levels"])})
        with torch.random.fork_rng(devices=[]):
            network = build_forecast_network(shape)
        beside = {name: tensors[name].numpy() for name in (LINEAR, COPULA, MARGINS) if name in tensors}
        network.load_state_dict({name: tensor for name, tensor in tensors.items() if name not in beside})
        conformal = None
        if MARGINS in beside:
            conformal = Conformal(shape.levels, beside[MARGINS], config["conformal_origins"])
        copula = Copula(beside[COPULA]) if COPULA in beside else None
        preparation = Preparation.from_config(config["preparation"], beside.get(LINEAR))
        return cls(preparation, network, config.get("horizon"), copula, conformal, config.get("lineage"))


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
