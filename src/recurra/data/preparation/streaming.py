"""The same preparation one row at a time: a few numbers a stream carry all that the past is needed for."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.preparation.preparation import Preparation, one_step_errors
from recurra.data.preparation.reference import Array, Lookback, Steps
from recurra.data.preparation.rows import Origins, Rows, fill_missing, gather_lookback
from recurra.data.preparation.running import RunningLevel
from recurra.data.series import SeriesTable

STATE_ARRAYS = ("recent", "age", "count", "total", "squares", "errors", "steps")


class StreamedRows:
    """What many streams carry from row to row; equal to `Preparation.rows` on the rows so far.

    Args:
        preparation: the fitted preparation.
        ids: one name a stream.
    """

    def __init__(self, preparation: Preparation, ids: Sequence[str | int]) -> None:
        self.preparation, self.spec, self.rule = preparation, preparation.spec, preparation.rule
        n = len(ids)
        self.fixed = preparation.fixed_levels(ids)
        self.recent = np.repeat(preparation.start_levels(ids)[:, None], self._width, axis=1)
        self.age = np.full(n, -1, dtype=np.int64)
        self.running = RunningLevel.empty(n, self.spec.memory)

    @property
    def _width(self) -> int:
        """Last values that are carried."""
        return max(self.rule.reach + 1, self.spec.lookback)

    @classmethod
    def after(cls, preparation: Preparation, table: SeriesTable) -> "StreamedRows":
        """The streams of a table's series, after its last rows."""
        streams = cls(preparation, table.ids)
        fill, age = fill_missing(table.y, table.offsets, streams.rule, preparation.start_levels(table.ids))
        errors = one_step_errors(table.y, fill, age, streams.rule)
        for i in range(table.n_series):
            begin, end = int(table.offsets[i]), int(table.offsets[i + 1])
            reach = min(streams.recent.shape[1], end - begin)
            streams.recent[i, :reach] = fill[begin:end][::-1][:reach]
            streams.age[i] = age[end - 1]
            if np.isnan(streams.fixed[i, 0]):
                sums = RunningLevel.empty(1, streams.spec.memory).over(table.y[begin:end], errors[begin:end])
                streams.running.assign(np.array([i]), sums.select(np.array([end - begin - 1])))
        return streams

    @classmethod
    def at(cls, preparation: Preparation, table: SeriesTable, rows: Rows) -> "StreamedRows":
        """One stream for each of some rows of a table: that of the row's series, right after it."""
        owner = table.series_of_rows
        streams = cls(preparation, [table.ids[i] for i in owner[rows]])
        fill, age = fill_missing(table.y, table.offsets, streams.rule, preparation.start_levels(table.ids))
        streams.recent = gather_lookback(fill, age, rows)(np.arange(streams.recent.shape[1]))
        streams.age = age[rows]
        errors = one_step_errors(table.y, fill, age, streams.rule)
        for i in np.unique(owner[rows]) if len(rows) else ():
            begin, end = int(table.offsets[i]), int(table.offsets[i + 1])
            mine = np.flatnonzero(owner[rows] == i)
            if np.isnan(streams.fixed[mine[0], 0]):
                sums = RunningLevel.empty(1, streams.spec.memory).over(table.y[begin:end], errors[begin:end])
                streams.running.assign(mine, sums.select(rows[mine] - begin))
        return streams

    def select(self, streams: Rows) -> "StreamedRows":
        """A copy of some of the streams."""
        twin = StreamedRows(self.preparation, ())
        twin.fixed, twin.recent, twin.age = self.fixed[streams], self.recent[streams], self.age[streams]
        twin.running = self.running.select(streams)
        return twin

    def repeated(self, times: int) -> "StreamedRows":
        """Every stream so many times, its copies next to each other."""
        return self.select(np.repeat(np.arange(len(self.age)), times))

    def extend(self, other: "StreamedRows") -> None:
        """Take over the streams of another object behind the own ones."""
        self.fixed = np.concatenate([self.fixed, other.fixed])
        self.recent = np.concatenate([self.recent, other.recent])
        self.age = np.concatenate([self.age, other.age])
        pairs = zip(self.running.fields(), other.running.fields(), strict=True)
        self.running = RunningLevel(self.spec.memory, *(np.concatenate(pair) for pair in pairs))

    def copy(self) -> "StreamedRows":
        """An independent copy."""
        twin = StreamedRows(self.preparation, ())
        twin.extend(self)
        return twin

    def advance(self, streams: Rows, y: Array, past: Array, known: Array) -> tuple[Array, Origins]:
        """One row of each of some streams.

        Args:
            streams: which ones, each once, [n].
            y: their observations, NaN where missing, [n].
            past: their encoded past covariates, [n, P].
            known: what was known in advance of these rows, [n, K].

        Returns:
            The network's inputs [n, inputs], and what may be looked at from these rows.
        """
        value, error = self._value_and_error(streams, y)
        self.age[streams] += (self.age[streams] >= 0) | ~np.isnan(y)
        self.recent[streams, 1:] = self.recent[streams, :-1]
        self.recent[streams, 0] = value
        own = np.isnan(self.fixed[streams, 0])
        if own.any():
            sums = self.running.select(streams[own])
            sums.add(y[own], error[own])
            self.running.assign(streams[own], sums)
        origins = self.origins(streams, ~np.isnan(y))
        target = origins.target_inputs(self.spec.lags, self.spec.show_missing)
        return np.concatenate([target, past, known], axis=1), origins

    def origins(self, streams: Rows, observed: npt.NDArray[np.bool_]) -> Origins:
        """What may be looked at from the latest row of each of some streams."""
        shift, scale, step = self.fixed[streams].T.copy()
        own = np.isnan(shift)
        if own.any():
            sums = self.running.select(streams[own])
            shift[own], scale[own] = sums.shift(), sums.scale()
            step[own] = scale[own] if self.spec.reference == "none" else sums.step(scale[own])
        return Origins(self._lookback(streams), observed, shift, scale, step)

    def _value_and_error(self, streams: Rows, y: Array) -> tuple[Array, Array]:
        shift = self.fixed[streams, 0]
        begun = self.age[streams] >= 0
        level = np.where(np.isnan(shift), 0.0, shift)
        expected = np.where(begun, self.rule.next(self._lookback(streams), level), self.recent[streams, 0])
        error = np.abs(y - expected) if self.spec.reference != "none" else np.full(len(y), np.nan)
        return np.where(np.isnan(y), expected, y), np.where(begun, error, np.nan)

    def _lookback(self, streams: Rows) -> Lookback:
        recent, age = self.recent[streams], self.age[streams][:, None]

        def lookback(j: Steps) -> Array:
            result: Array = np.where(age >= j, recent[:, j], recent[:, :1])
            return result

        return lookback

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The state as named arrays, for a snapshot."""
        values = (self.recent, self.age, *self.running.fields())
        return {name: value.copy() for name, value in zip(STATE_ARRAYS, values, strict=True)}

    @classmethod
    def from_arrays(
        cls, preparation: Preparation, ids: Sequence[str | int], arrays: Mapping[str, npt.NDArray[Any]]
    ) -> "StreamedRows":
        """The streams that `to_arrays` described."""
        streams = cls(preparation, ids)
        streams.recent, streams.age = arrays["recent"].copy(), arrays["age"].copy()
        streams.running = RunningLevel(streams.spec.memory, *(arrays[name].copy() for name in STATE_ARRAYS[2:]))
        return streams
