"""The same preparation one row at a time: a few numbers a stream carry all that the past is needed for."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.preparation.gaps import missing_cells, steps_since
from recurra.data.preparation.peers import peer_inputs
from recurra.data.preparation.preparation import Covariates, Preparation, one_step_errors
from recurra.data.preparation.reference import Array, Lookback, Steps
from recurra.data.preparation.rows import Origins, Rows, gather_lookback
from recurra.data.preparation.units import in_model_units, to_model_units
from recurra.data.series import SeriesTable
from recurra.data.targets import find_peers

CARRIED = ("fixed", "recent", "age", "since", "gaps", "static")


class StreamedRows:
    """What many streams carry from row to row; equal to `Preparation.rows` on the rows so far.

    Args:
        preparation: the fitted preparation.
        ids: one name a stream.
    """

    def __init__(self, preparation: Preparation, ids: Sequence[str | int]) -> None:
        self.preparation, self.spec, self.rule = preparation, preparation.spec, preparation.rule
        n = len(ids)
        self.ids = list(ids)
        self.peers = find_peers(ids, self.spec.targets)
        self.fixed = preparation.fixed_levels(ids)
        self.recent = np.repeat(preparation.start_levels(ids)[:, None], self._width, axis=1)
        self.age = np.full(n, -1, dtype=np.int64)
        self.since = np.full(n, -1, dtype=np.int64)
        self.gaps = np.zeros((n, len(preparation.masked)), dtype=np.int64)
        self.static = np.zeros((n, preparation.static.width))
        self.following = preparation.following(n)

    @property
    def _width(self) -> int:
        """Last values that are carried."""
        return max(self.rule.reach + 1, self.spec.lookback)

    @classmethod
    def after(cls, preparation: Preparation, table: SeriesTable) -> "StreamedRows":
        """The streams of a table's series, after its last rows."""
        return cls.at(preparation, table, table.offsets[1:] - 1)

    @classmethod
    def at(cls, preparation: Preparation, table: SeriesTable, rows: Rows) -> "StreamedRows":
        """One stream for each of some rows of a table: that of the row's series, right after it.

        Kin are the streams of the other targets of a series at the same time; they are to be among the rows.
        """
        owner = table.series_of_rows
        streams = cls(preparation, [table.ids[i] for i in owner[rows]])
        streams.peers = _peers_at(find_peers(table.ids, streams.spec.targets), table.offsets, owner[rows], rows)
        table = in_model_units(table, preparation.spec.scaling)
        fill, age = preparation.filled(table)
        streams.recent = gather_lookback(fill, age, rows)(np.arange(streams.recent.shape[1]))
        streams.age = np.maximum(age[rows], -1)  # how much later a series begins is not known yet
        streams.since = steps_since(~np.isnan(table.y), table.offsets)[rows]
        for k, name in enumerate(preparation.masked):
            streams.gaps[:, k] = steps_since(~missing_cells(table.covariates[name]), table.offsets)[rows]
        given = {name: table.covariates[name][rows] for name in preparation.static.columns}
        streams.static = preparation.static.encode(given, len(rows))
        errors = one_step_errors(table.y, fill, age, streams.rule)
        for i in np.unique(owner[rows]) if len(rows) else ():
            begin, end = int(table.offsets[i]), int(table.offsets[i + 1])
            mine = np.flatnonzero(owner[rows] == i)
            if np.isnan(streams.fixed[mine[0], 0]):
                level = preparation.following(1).at(table.y[begin:end], errors[begin:end], rows[mine] - begin)
                streams.following.assign(mine, level)  # type: ignore[arg-type]
        return streams

    def select(self, streams: Rows) -> "StreamedRows":
        """A copy of some of the streams."""
        twin = StreamedRows(self.preparation, [self.ids[i] for i in streams])
        for name in CARRIED:
            setattr(twin, name, getattr(self, name)[streams])
        twin.following = self.following.select(streams)
        place = np.append(np.full(len(self.age), -1, dtype=np.int64), -1)
        place[streams] = np.arange(len(streams))
        twin.peers = place[self.peers[streams]]
        return twin

    def repeated(self, times: int) -> "StreamedRows":
        """Every stream so many times, its copies next to each other; copies of kin with one number are kin."""
        twin = self.select(np.repeat(np.arange(len(self.age)), times))
        own = np.tile(np.arange(times), len(self.age))[:, None]
        kin = np.repeat(self.peers, times, axis=0)
        twin.peers = np.where(kin >= 0, kin * times + own, -1)
        return twin

    def extend(self, other: "StreamedRows") -> None:
        """Take over the streams of another object behind the own ones."""
        self.ids = self.ids + other.ids
        self.peers = find_peers(self.ids, self.spec.targets)
        for name in CARRIED:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(other, name)]))
        pairs = zip(self.following.fields(), other.following.fields(), strict=True)
        self.following = self.following.of_fields(self.spec.memory, *(np.concatenate(pair) for pair in pairs))

    def copy(self) -> "StreamedRows":
        """An independent copy."""
        twin = StreamedRows(self.preparation, ())
        twin.extend(self)
        return twin

    def encode(self, streams: Rows, covariates: Covariates, gaps: Array) -> tuple[Array, Array]:
        """The covariates of one row of each of some streams, counted on from where they stand; call it once a row.

        Args:
            streams: which ones, each once, [n].
            covariates: name -> [n].
            gaps: logarithm of the time since the row before, NaN where there is none, [n].

        Returns:
            What is known at the row [n, P], and its future covariates [n, F].
        """
        masked, preparation = self.preparation.masked, self.preparation
        for k, name in enumerate(masked):
            self.gaps[streams, k] = np.where(missing_cells(covariates[name]), self.gaps[streams, k] + 1, 0)
        since = {name: self.gaps[streams, k] for k, name in enumerate(masked)}
        self.static[streams] = preparation.static.encode(covariates, len(streams))
        past = preparation.past_inputs(covariates, gaps, since=since)
        return past, preparation.future.encode(covariates, len(streams), since=since)

    def future_inputs(self, streams: Rows, ahead: Covariates, steps: int) -> Array:
        """Encoded future covariates of the steps after the latest row of some streams, [n, steps, F]."""
        since = {name: self.gaps[streams, k] for k, name in enumerate(self.preparation.masked)}
        return self.preparation.future_inputs(ahead, since, len(streams), steps)

    def own_inputs(self) -> Array:
        """What is known of every stream at a made-up row, a usual time after the last one, [streams, P]."""
        usual = np.zeros((len(self.age), 0 if self.preparation.elapsed is None else 1))
        return np.concatenate([usual, self.static], axis=1)

    def advance(self, streams: Rows, y: Array, past: Array, known: Array) -> tuple[Array, Origins]:
        """One row of each of some streams.

        Args:
            streams: which ones, each once, [n].
            y: their observations in the units of the target, NaN where missing, [n]; with several targets, those of
                all targets of a series stand in it.
            past: what is known at the row, see `encode`, [n, P].
            known: what was known in advance of these rows, [n, K].

        Returns:
            The network's inputs [n, inputs], and what may be looked at from these rows.
        """
        y = to_model_units(y, self.spec.scaling)
        value, error = self._value_and_error(streams, y)
        self.since[streams] = np.where(np.isnan(y), np.maximum(self.since[streams], 0) + 1, 0)
        self.age[streams] += (self.age[streams] >= 0) | ~np.isnan(y)
        self.recent[streams, 1:] = self.recent[streams, :-1]
        self.recent[streams, 0] = value
        own = np.isnan(self.fixed[streams, 0])
        if own.any():
            level = self.following.select(streams[own])
            level.add(y[own], error[own])
            self.following.assign(streams[own], level)  # type: ignore[arg-type]
        origins = self.origins(streams)
        target = origins.target_inputs(self.spec.lags, self.spec.show_missing, self.spec.show_gap)
        return np.concatenate([target, past, self._peer_inputs(streams), known], axis=1), origins

    def _peer_inputs(self, streams: Rows) -> Array:
        if not self.spec.targets:
            return np.zeros((len(streams), 0))
        kin = self.peers[streams]
        there = (kin >= 0) & (self.since[kin] >= 0)
        other = self.origins(np.where(there, kin, 0).reshape(-1))
        level, observed = np.where(there, other.level.reshape(kin.shape), 0.0), other.observed.reshape(kin.shape)
        return peer_inputs(level, observed & there, kin == streams[:, None], self.spec.show_missing)

    def origins(self, streams: Rows) -> Origins:
        """What may be looked at from the latest row of each of some streams."""
        shift, scale, step = self.fixed[streams].T.copy()
        own = np.isnan(shift)
        if own.any():
            level = self.following.select(streams[own])
            shift[own], scale[own] = level.shift(), level.scale()
            step[own] = scale[own] if self.spec.reference == "none" else level.step(scale[own])
        since = self.since[streams]
        begun = (self.age[streams] >= 0) | ~own
        return Origins(self._lookback(streams), since == 0, shift, scale, step, since, begun)

    def _value_and_error(self, streams: Rows, y: Array) -> tuple[Array, Array]:
        shift = self.fixed[streams, 0]
        begun = self.age[streams] >= 0
        level = np.where(np.isnan(shift), self._own_level(streams), shift)
        expected = np.where(begun, self.rule.next(self._lookback(streams), level), self.recent[streams, 0])
        error = np.abs(y - expected) if self.spec.reference != "none" else np.full(len(y), np.nan)
        return np.where(np.isnan(y), expected, y), np.where(begun, error, np.nan)

    def _own_level(self, streams: Rows) -> Array | float:
        """What the rule "none" forecasts for streams that follow their own past; other rules do not read it."""
        return self.following.select(streams).shift() if self.spec.reference == "none" else 0.0

    def _lookback(self, streams: Rows) -> Lookback:
        recent, age = self.recent[streams], self.age[streams][:, None]

        def lookback(j: Steps) -> Array:
            result: Array = np.where(age >= j, recent[:, j], recent[:, :1])
            return result

        return lookback

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The state as named arrays, for a snapshot."""
        level = zip(self.following.names, self.following.fields(), strict=True)
        values = {**{name: getattr(self, name) for name in CARRIED[1:]}, **dict(level)}
        return {name: value.copy() for name, value in values.items() if value.size or not len(self.ids)}

    @classmethod
    def from_arrays(
        cls, preparation: Preparation, ids: Sequence[str | int], arrays: Mapping[str, npt.NDArray[Any]]
    ) -> "StreamedRows":
        """The streams that `to_arrays` described."""
        streams = cls(preparation, ids)
        for name in CARRIED[1:]:
            setattr(streams, name, arrays[name].copy() if name in arrays else getattr(streams, name))
        level = (arrays[name].copy() for name in streams.following.names)
        streams.following = streams.following.of_fields(streams.spec.memory, *level)
        return streams


def _peers_at(peers: Rows, offsets: Rows, owner: Rows, rows: Rows) -> Rows:
    """Which of the rows are those of each one's own kin at the same time, -1 for one that is not there, [n, T].

    Args:
        peers: where the kin of each series stand, [series, T].
        offsets: first row of each series and the end, [series + 1].
        owner: series of each row, [n].
        rows: [n].
    """
    number, kin = rows - offsets[owner], peers[owner]
    wanted = np.where(kin >= 0, offsets[kin] + number[:, None], -1)
    order = np.argsort(rows)
    found = np.minimum(np.searchsorted(rows, wanted, sorter=order), len(rows) - 1)
    return np.where((wanted >= 0) & (rows[order[found]] == wanted), order[found], -1) if len(rows) else kin
