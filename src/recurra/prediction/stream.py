"""A forecasting network that runs live: one observation in, its new forecast out, constant work and memory."""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from recurra.data.columns import Columns
from recurra.data.forecasts import Forecasts
from recurra.data.preparation import StreamedRows
from recurra.data.preparation.covariates import NumericColumn
from recurra.data.preparation.rows import Rows
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError, SkippedRowError, StreamError
from recurra.models.forecast import State, select_state, zero_state_like
from recurra.prediction.arrivals import Arrival, ArrivalPolicy, ArrivalReader, Row, decide, rounds
from recurra.prediction.forecast import ForecastPredictor
from recurra.prediction.snapshot import pack_snapshot, unpack_snapshot
from recurra.shapes import Tensor


class ForecastStream:
    """Many series, each a stream: rows come in one at a time or in batches, forecasts come out.

    After every row the forecast equals `predict` on the rows so far. Streams do not touch each other;
    a series that was not there at fit begins with its first row and is scaled from its own past.

    Args:
        predictor: the trained model.
        columns: names of the columns of the rows.
        table: rows that came before, if any.
        policy: late, repeated and skipped rows.
        mask_missing: whether missing targets are masked.
    """

    def __init__(
        self,
        predictor: ForecastPredictor,
        columns: Columns,
        table: SeriesTable | None = None,
        policy: ArrivalPolicy | None = None,
        mask_missing: bool = False,
    ) -> None:
        self._predictor, self._columns, self._policy = predictor, columns, policy or ArrivalPolicy()
        self._mask_missing = mask_missing
        self._preparation = predictor.preparation
        self._frequency = self._preparation.spec.step
        if self._policy.skipped == "mask":
            self._check_mask()
        self._index: dict[str | int, int] = {}
        self._rows = StreamedRows(self._preparation, ())
        self._last: npt.NDArray[Any] = np.zeros(0, np.int64 if self._frequency.is_index else "datetime64[us]")
        self._state: tuple[Tensor, ...] = self._as_tuple(zero_state_like(predictor.network, 0))
        if table is not None:
            self._take_table(table)

    def _check_mask(self) -> None:
        if not self._mask_missing:
            raise ConfigError("skipped='mask' needs a model that was fitted with missing='mask'")
        if self._preparation.spec.past or self._preparation.spec.future:
            raise ConfigError("skipped='mask' cannot make up the covariates of rows that never came; use 'refuse'")

    @property
    def series(self) -> tuple[str | int, ...]:
        """Names of the streams, in order of arrival."""
        return tuple(self._index)

    def last_seen(self, name: str | int) -> Any:
        """Time stamp of a stream's last row."""
        return self._last[self._index[name]]

    def update(self, row: Row, future: SeriesTable | None = None) -> Forecasts:
        """One row in, that series' forecast out.

        Args:
            row: values by column name.
            future: covariates of the next `horizon` steps, if the model was trained with any.

        Raises:
            TableError: the row is wrong; nothing has changed.
            StreamError: it is late, repeated or comes after a gap, and the policy refuses that; nothing has changed.
        """
        return self.update_many([row], future)

    def update_many(self, rows: Iterable[Row], future: SeriesTable | None = None) -> Forecasts:
        """Rows of several series in, all advanced in one batched step; forecasts of these series out.

        Several rows of one series are taken in their order. If any row is refused, none is used.
        """
        arrivals = self._reader().read(rows)
        if not arrivals:
            raise StreamError("there is no row to take; hand in at least one")
        plan = self._plan(arrivals)
        self._add_new([a for a in arrivals if a.name not in self._index])
        names = list(dict.fromkeys(arrival.name for arrival in arrivals))
        for batch in rounds(plan):
            self._advance(batch)
        return self._forecast(names, future)

    def _reader(self) -> ArrivalReader:
        columns = {**self._preparation.past.columns, **self._preparation.future.columns}
        numeric = tuple(name for name, column in columns.items() if isinstance(column, NumericColumn))
        categorical = tuple(name for name in columns if name not in numeric)
        single = next(iter(self._index)) if len(self._index) == 1 else None
        if self._columns.unique_id is None and single is None:
            single = "series"
        return ArrivalReader(self._columns, self._frequency, numeric, categorical, self._mask_missing, single)

    def _plan(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """The rows to use, with a masked one for every skipped one; decided before anything changes."""
        last: dict[str | int, Any] = {}
        plan: list[Arrival] = []
        for arrival in arrivals:
            before = last.get(arrival.name)
            if before is None and arrival.name in self._index:
                before = self._last[self._index[arrival.name]]
            skipped = 0
            if before is not None:
                action, skipped = decide(self._policy, arrival, before, self._frequency)
                if action == "ignore":
                    continue
                if skipped > 1_000_000:
                    raise SkippedRowError(f"series {arrival.name!r}: {skipped} rows are missing; begin a new stream")
                stamps = self._frequency.steps_after(before, skipped)
                plan += [Arrival(arrival.name, stamp, float("nan"), {}) for stamp in stamps]
            plan.append(arrival)
            last[arrival.name] = arrival.ds
        return plan

    def _add_new(self, arrivals: Sequence[Arrival]) -> None:
        names = list(dict.fromkeys(a.name for a in arrivals))
        if not names:
            return
        self._index.update({name: len(self._index) + i for i, name in enumerate(names)})
        self._rows.extend(StreamedRows(self._preparation, names))
        self._last = np.concatenate([self._last, np.zeros(len(names), self._last.dtype)])
        fresh = self._as_tuple(zero_state_like(self._predictor.network, len(names)))
        self._state = tuple(torch.cat([old, new], 1) for old, new in zip(self._state, fresh, strict=True))

    @torch.inference_mode()
    def _advance(self, batch: Sequence[Arrival]) -> None:
        streams = np.array([self._index[a.name] for a in batch])
        stamps = np.array([a.ds for a in batch], self._last.dtype)
        covariates = {name: np.array([a.covariates[name] for a in batch]) for name in batch[0].covariates}
        known = self._preparation.known(stamps, covariates)
        y = np.array([a.y for a in batch])
        x, _ = self._rows.advance(streams, y, covariates, known)
        rows = torch.from_numpy(streams)
        before = select_state(self._as_state(self._state), rows)
        _, after = self._predictor.network.step(torch.from_numpy(x), before)
        for mine, new in zip(self._state, self._as_tuple(after), strict=True):
            mine[:, rows] = new
        self._last[streams] = stamps

    def _forecast(self, names: Sequence[str | int], future: SeriesTable | None) -> Forecasts:
        streams = np.array([self._index[name] for name in names])
        horizon = self._preparation.spec.horizon
        ds = self._frequency.steps_after(self._last[streams], horizon)
        ahead = self._ahead(names, streams, ds, future)
        origins = self._rows.origins(streams, np.ones(len(streams), dtype=bool))
        h = self._state[0][-1, torch.from_numpy(streams)]
        return self._predictor.as_forecasts(names, ds, self._predictor.quantiles_from(h, origins, ahead))

    def _ahead(
        self, names: Sequence[str | int], streams: Rows, ds: npt.NDArray[Any], future: SeriesTable | None
    ) -> npt.NDArray[np.float64]:
        covariates: dict[str, npt.NDArray[Any]] = {}
        if self._preparation.spec.future:
            rows = self._predictor.future_rows(future, names, ds)
            assert future is not None
            covariates = {name: future.covariates[name][rows] for name in self._preparation.spec.future}
        return self._preparation.known(ds.reshape(-1), covariates).reshape(len(streams), ds.shape[1], -1)

    @torch.inference_mode()
    def _take_table(self, table: SeriesTable) -> None:
        self._index = {name: i for i, name in enumerate(table.ids)}
        self._rows = StreamedRows.after(self._preparation, table)
        self._last = table.ds[table.offsets[1:] - 1].copy()
        self._state = self._as_tuple(self._predictor.last_state(table))

    def forecasts(self, future: SeriesTable | None = None) -> Forecasts:
        """The present forecast of every stream, without a new row."""
        return self._forecast(list(self._index), future)

    def fork(self) -> "ForecastStream":
        """An independent copy: rows that one takes do not reach the other."""
        twin = copy.copy(self)
        twin._index, twin._rows = dict(self._index), copy.deepcopy(self._rows)
        twin._last, twin._state = self._last.copy(), tuple(part.clone() for part in self._state)
        return twin

    def snapshot(self) -> bytes:
        """The state as bytes, for `restore` after a restart; carries schema version and model fingerprint."""
        arrays = {**self._rows.to_arrays(), "last": self._last.astype(np.int64)}
        arrays.update({f"state.{i}": part.numpy() for i, part in enumerate(self._state)})
        header = {
            "ids": list(self._index),
            "policy": [self._policy.late, self._policy.repeated, self._policy.skipped],
            "mask_missing": self._mask_missing,
        }
        return pack_snapshot(self._predictor.fingerprint, header, arrays)

    @classmethod
    def restore(cls, snapshot: bytes, predictor: ForecastPredictor, columns: Columns) -> "ForecastStream":
        """The stream that was snapshot.

        Raises:
            SnapshotError: if the bytes are damaged, of an unknown schema version, or of another model.
        """
        header, arrays = unpack_snapshot(snapshot, predictor.fingerprint)
        stream = cls(predictor, columns, None, ArrivalPolicy(*header["policy"]), bool(header["mask_missing"]))
        stream._index = {name: i for i, name in enumerate(header["ids"])}
        stream._rows = StreamedRows.from_arrays(predictor.preparation, header["ids"], arrays)
        stream._last = arrays["last"].astype(stream._last.dtype)
        stream._state = tuple(torch.from_numpy(arrays[f"state.{i}"].copy()) for i in range(len(stream._state)))
        return stream

    @staticmethod
    def _as_tuple(state: State) -> tuple[Tensor, ...]:
        return state if isinstance(state, tuple) else (state,)

    @staticmethod
    def _as_state(parts: tuple[Tensor, ...]) -> State:
        return (parts[0], parts[1]) if len(parts) == 2 else parts[0]
