"""A forecasting network that runs live: one observation in, its new forecast out, constant work and memory."""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from recurra.data.columns import Columns, TablePolicy
from recurra.data.forecasts import Forecasts
from recurra.data.preparation import Origins, StreamedRows
from recurra.data.preparation.gaps import log_gaps
from recurra.data.preparation.preparation import Covariates
from recurra.data.readers import is_whole_number
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError, StreamError, TimeStampError
from recurra.models.forecast import join_states, select_state, zero_state_like
from recurra.prediction.arrivals import Arrival, ArrivalReader, Row
from recurra.prediction.feedback import Start, answer_beyond, parts_of
from recurra.prediction.forecast import ForecastPredictor
from recurra.prediction.future import FutureReader
from recurra.prediction.last_values import LastValues
from recurra.prediction.policy import ArrivalPolicy
from recurra.prediction.quick import quick_steps
from recurra.prediction.snapshot import LINEAGE, pack_snapshot, unpack_snapshot
from recurra.prediction.statics import StaticValues

Rows = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]


class ForecastStream:
    """Many series, each a stream: rows come in one at a time or in batches, forecasts come out.

    After every row the forecast equals `predict` on the rows so far. Streams do not touch each other;
    a series that was not there at fit begins with its first row and is scaled from its own past.

    Args:
        predictor: the trained model.
        columns: names of the columns of the rows.
        table: rows that came before, if any.
        policy: late, repeated and skipped rows.
        tables: what to do about the blemishes of tables that are handed in.
    """

    def __init__(
        self,
        predictor: ForecastPredictor,
        columns: Columns,
        table: SeriesTable | None = None,
        policy: ArrivalPolicy | None = None,
        tables: TablePolicy | None = None,
    ) -> None:
        self._predictor, self._policy = predictor, policy or ArrivalPolicy()
        self._preparation = predictor.preparation
        self._spec = self._preparation.spec
        self._frequency = self._spec.step
        tables = tables or TablePolicy()
        self._reader = ArrivalReader(self._preparation, columns, tables, predictor.shape.output)
        if self._policy.skipped == "mask":
            self._check_mask()
        self._future = FutureReader(self._spec, columns, tables)
        self.columns = columns
        self.time_zone = self._spec.time_zone if table is None else table.time_zone
        self._quick = quick_steps(predictor)
        self._begin(() if table is None else table.ids)
        if table is not None:
            self._rows = StreamedRows.after(self._preparation, table)
            self._last = table.last_ds.copy()
            self._state = predictor.last_state(table)
            self._statics = StaticValues.of(self._reader.static, table)
            self._latest = LastValues.of(self._reader.carried, table)

    def _begin(self, names: Sequence[str | int]) -> None:
        """Streams that have seen nothing."""
        self._names = list(names)
        self._index = {str(name): i for i, name in enumerate(names)}
        self._rows = StreamedRows(self._preparation, names)
        self._statics = StaticValues(self._reader.static)
        self._latest = LastValues(self._reader.carried)
        self._last = np.zeros(len(names), np.int64 if self._frequency.is_index else "datetime64[us]")
        self._state = zero_state_like(self._predictor.network, len(names))

    def _check_mask(self) -> None:
        if not self._spec.show_missing:
            raise ConfigError("skipped='mask' needs a model that was fitted with missing='mask'")
        if {*self._spec.past, *self._spec.future} - self._reader.blank:
            raise ConfigError(
                "skipped='mask' cannot make up the covariates of rows that never came; use 'refuse', or fit the model "
                "with missing_covariates='mask' or 'last'"
            )

    @property
    def series(self) -> tuple[str | int, ...]:
        """Names of the streams, in order of arrival."""
        return tuple(self._names)

    @property
    def described(self) -> str:
        """How many streams there are, in words."""
        return f"{len(self._names)} series"

    def to_rows(self, forecasts: Forecasts) -> list[dict[str, Any]]:
        """Forecasts of this stream as one dict per series and step, in the columns of its rows."""
        return forecasts.to_rows(self.columns, self.time_zone)

    def last_seen(self, name: str | int) -> Any:
        """Time stamp of a stream's last row."""
        return self._last[self._index[str(name)]]

    def update(self, row: Row, future: object = None) -> Forecasts:
        """One row in, that series' forecast out; with several targets, one of each.

        Args:
            row: values by column name.
            future: any table, or list of rows, with the covariates of the next `horizon` steps, if the model was
                trained with any; the series need not be named in it.

        Raises:
            TableError: the row, or the future, is wrong; nothing has changed.
            StreamError: it is late, repeated or comes after a gap, and the policy refuses that; nothing has changed.
        """
        arrivals = self._reader.read_row(row, 1)
        quickly = self._take_quickly(arrivals[0]) if future is None else None
        return self._take(arrivals, future) if quickly is None else quickly

    def update_many(self, rows: Iterable[Row] | object, future: object = None) -> Forecasts:
        """Rows of several series in, all advanced in one batched step; forecasts of these series out.

        Several rows of one series are taken in their order. If any row is refused, none is used.

        Args:
            rows: mappings of column names to values, or any table that `fit` takes.
            future: as for `update`, with a row for each of these series and steps.
        """
        arrivals = self._reader.read(rows)
        if not arrivals:
            raise StreamError("there is no row to take; hand in at least one")
        return self._take(arrivals, future)

    def _take_quickly(self, arrival: Arrival) -> Forecasts | None:
        """The forecast after a row that comes when it is due and has its target; None for any other."""
        i = self._index.get(arrival.name)
        if self._quick is None or i is None or arrival.y != arrival.y:
            return None
        if arrival.ds != self._quick.clock.after(self._last[i]).ds[0]:
            return None
        ds, quantiles = self._quick.take(self._rows, self._state, i, arrival.y, arrival.ds)
        self._last[i] = arrival.ds
        return self._quick.answer(self._names[i], ds, quantiles)

    def _take(self, arrivals: Sequence[Arrival], future: object) -> Forecasts:
        """Everything that may be refused is refused first; then nothing can fail."""
        plan, latest = self._latest.fill(self._plan(arrivals))
        last = {arrival.name: arrival.ds for arrival in plan}
        names = list(dict.fromkeys(arrival.name for arrival in arrivals))
        stamps = np.array([last[name] if name in last else self.last_seen(name) for name in names], self._last.dtype)
        ds = self._frequency.steps_after(stamps, self._predictor.horizon)
        self._statics.check(arrivals)
        covariates = self._checked_future(names, ds, future)
        calendar = self._calendar(np.concatenate([stamps[:, None], ds], axis=1))
        self._add_new(names)
        self._latest.keep(latest)
        streams = np.array([self._index[name] for name in names])
        if [arrival.name for arrival in plan] == names:
            origins = self._advance(plan, calendar[:, 0])
        else:
            for batch in _rounds(plan):
                self._advance(batch, self._calendar(np.array([arrival.ds for arrival in batch], self._last.dtype)))
            origins = self._rows.origins(streams)
        return self._answer(streams, origins, ds, self._known_ahead(streams, calendar[:, 1:], covariates))

    def _plan(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """The rows to use, with a masked one for every skipped one; decided before anything changes."""
        last: dict[str, Any] = {}
        plan: list[Arrival] = []
        for arrival in arrivals:
            before = last.get(arrival.name)
            if before is None and arrival.name in self._index:
                before = self.last_seen(arrival.name)
            if before is None:
                self._check_first(arrival)
            else:
                skipped = self._policy.rows_before(arrival.place, arrival.ds, before, self._frequency, self.time_zone)
                if skipped is None:
                    continue
                for stamp in self._frequency.steps_after(before, skipped) if skipped else ():
                    plan.append(Arrival(arrival.name, stamp, float("nan"), {}, arrival.place))
            plan.append(arrival)
            last[arrival.name] = arrival.ds
        return plan

    def _check_first(self, arrival: Arrival) -> None:
        if not self._frequency.on_grid(arrival.ds):
            raise TimeStampError(
                f"{arrival.place.column(self.columns.ds)}: such a time cannot occur at the model's frequency "
                f"{self._frequency.code!r}; correct the time stamp"
            )

    def _add_new(self, names: Sequence[str]) -> None:
        new: list[str | int] = [int(n) if is_whole_number(n) else n for n in names if n not in self._index]
        if not new:
            return
        self._index.update({str(name): len(self._index) + i for i, name in enumerate(new)})
        self._names += new
        self._rows.extend(StreamedRows(self._preparation, new))
        self._last = np.concatenate([self._last, np.zeros(len(new), self._last.dtype)])
        self._state = join_states([self._state, zero_state_like(self._predictor.network, len(new))])

    @torch.inference_mode()
    def _advance(self, batch: Sequence[Arrival], calendar: Array) -> Origins:
        streams = np.array([self._index[a.name] for a in batch])
        stamps = np.array([a.ds for a in batch], self._last.dtype)
        given = [{**a.covariates, **self._statics.take(a)} for a in batch]
        covariates = {name: np.array([row.get(name, np.nan) for row in given]) for name in self._reader.numeric}
        for name in self._reader.categories:
            covariates[name] = np.array([row.get(name) for row in given], object)
        gaps = log_gaps(stamps, self._last[streams], self._rows.since[streams] >= 0)
        past, future = self._rows.encode(streams, covariates, gaps)
        known = np.concatenate([calendar, future], axis=1)
        x, origins = self._rows.advance(streams, np.array([a.y for a in batch]), past, known)
        rows = torch.from_numpy(streams)
        _, after = self._predictor.network.step(torch.from_numpy(x), select_state(self._state, rows))
        for mine, new in zip(parts_of(self._state), parts_of(after), strict=True):
            mine[:, rows] = new
        self._last[streams] = stamps
        return origins

    def _calendar(self, ds: npt.NDArray[Any]) -> Array:
        """Calendar features, [..., C]."""
        return self._preparation.calendar(ds.reshape(-1)).reshape(*ds.shape, -1)

    def _checked_future(self, names: Sequence[str | int], ds: npt.NDArray[Any], future: object) -> Covariates:
        """The covariates of the steps to forecast, name -> [n * horizon]; every category is known."""
        covariates = self._future.read(future, names, ds)
        self._preparation.future.encode(covariates, ds.size)
        return covariates

    def _known_ahead(self, streams: Rows, calendar: Array, covariates: Covariates) -> Array:
        """What is known in advance of the steps after the latest row of some streams, [n, horizon, K]."""
        if not covariates:
            return calendar
        return np.concatenate([calendar, self._rows.future_inputs(streams, covariates, calendar.shape[1])], axis=2)

    def _answer(self, streams: Rows, origins: Origins, ds: npt.NDArray[Any], ahead: Array) -> Forecasts:
        predictor, names = self._predictor, [self._names[i] for i in streams]
        h = parts_of(self._state)[0][-1, torch.from_numpy(streams)]
        if ahead.shape[1] <= predictor.shape.horizon:
            return predictor.as_forecasts(names, ds, predictor.answer(h, origins, ahead))
        state = select_state(self._state, torch.from_numpy(streams))
        start = Start(self._rows.select(streams), state)
        return predictor.as_forecasts(names, ds, answer_beyond(predictor, h, origins, ahead, start))

    def forecasts(self, future: object = None) -> Forecasts:
        """The present forecast of every stream, without a new row.

        Raises:
            StreamError: if no stream has begun.
        """
        if not self._names:
            raise StreamError("no stream has begun; hand in a row first")
        streams = np.arange(len(self._names))
        ds = self._frequency.steps_after(self._last, self._predictor.horizon)
        ahead = self._known_ahead(streams, self._calendar(ds), self._checked_future(self._names, ds, future))
        return self._answer(streams, self._rows.origins(streams), ds, ahead)

    def fork(self) -> "ForecastStream":
        """An independent copy: rows that one takes do not reach the other."""
        twin = copy.copy(self)
        twin._quick = quick_steps(self._predictor)
        twin._index, twin._names, twin._rows = dict(self._index), list(self._names), self._rows.copy()
        twin._statics, twin._latest = self._statics.copy(), self._latest.copy()
        twin._last, twin._state = self._last.copy(), select_state(self._state, torch.arange(len(self._names)))
        return twin

    def under(self, predictor: ForecastPredictor) -> "ForecastStream":
        """An independent copy that goes on with another network of the same model, one that has learned more.

        Raises:
            StreamError: if the other is not of the same lineage.
        """
        if predictor.lineage != self._predictor.lineage:
            raise StreamError("the stream is another model's; make a new one with model.stream(table)")
        twin = self.fork()
        twin._predictor, twin._quick = predictor, quick_steps(predictor)
        twin._preparation = predictor.preparation
        return twin

    def snapshot(self) -> bytes:
        """The state as bytes, for `restore` after a restart; carries schema version and model fingerprint."""
        arrays = {**self._rows.to_arrays(), "last": self._last.astype(np.int64)}
        arrays.update({f"state.{i}": part.numpy() for i, part in enumerate(parts_of(self._state))})
        header = {
            "ids": self._names,
            "policy": [self._policy.late, self._policy.repeated, self._policy.skipped],
            "time_zone": self.time_zone,
            "statics": self._statics.to_config(),
            "latest": self._latest.to_config(),
            LINEAGE: self._predictor.lineage,
        }
        return pack_snapshot(self._predictor.fingerprint, header, arrays)

    @classmethod
    def restore(
        cls,
        snapshot: bytes,
        predictor: ForecastPredictor,
        columns: Columns,
        tables: TablePolicy | None = None,
        carry: bool = False,
    ) -> "ForecastStream":
        """The stream that was snapshot.

        Args:
            snapshot: its bytes.
            predictor: the model.
            columns: names of the columns of the rows.
            tables: what to do about the blemishes of tables that are handed in.
            carry: whether the snapshot may come from the model as it was before updates, or after others.

        Raises:
            SnapshotError: if the bytes are damaged, of an unknown schema version, or of another model.
        """
        header, arrays = unpack_snapshot(snapshot, predictor.fingerprint, predictor.lineage if carry else None)
        stream = cls(predictor, columns, None, ArrivalPolicy(*header["policy"]), tables)
        stream._begin(header["ids"])
        stream.time_zone = header["time_zone"]
        stream._statics = StaticValues(stream._reader.static, header.get("statics"))
        stream._latest = LastValues(stream._reader.carried, header.get("latest"))
        stream._rows = StreamedRows.from_arrays(predictor.preparation, header["ids"], arrays)
        stream._last = arrays["last"].astype(stream._last.dtype)
        parts = [torch.from_numpy(arrays[f"state.{i}"].copy()) for i in range(len(parts_of(stream._state)))]
        stream._state = (parts[0], parts[1]) if len(parts) == 2 else parts[0]
        return stream


def _rounds(arrivals: Sequence[Arrival]) -> list[list[Arrival]]:
    """Arrivals in batches that hold each series once, in order of arrival."""
    batches: list[list[Arrival]] = []
    turn: dict[str, int] = {}
    for arrival in arrivals:
        number = turn.get(arrival.name, 0)
        turn[arrival.name] = number + 1
        if number == len(batches):
            batches.append([])
        batches[number].append(arrival)
    return batches
