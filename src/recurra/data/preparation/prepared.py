"""A whole table prepared for a forecasting network: inputs, references and targets at any of its rows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.data.preparation.peers import peer_inputs
from recurra.data.preparation.reference import Array, Reference
from recurra.data.preparation.rows import Origins, Rows, gather_lookback, side_by_side
from recurra.data.preparation.spec import PreparationSpec


@dataclass(frozen=True)
class PreparedRows:
    """Arrays over a table's rows. Whatever is read at a row was known at that row, targets excepted.

    Args:
        spec: what the inputs are made of.
        rule: the rule that forecasts start from.
        offsets: first row of each series and the end, [series + 1].
        y: targets, NaN where missing, [rows].
        fill, age: values for the reference rule, and steps since the first observation, [rows].
        shift, scale, step: level, spread and step scale as known at each row, [rows].
        since: rows since the target was last observed, [rows].
        past: what else is known at each row: time since the row before, past and static covariates, [rows, P].
        known: what is known in advance (calendar, future covariates) of each row and of the `horizon`
            rows after each series, [rows + series * horizon, K].
        owner: series of each row, [rows].
        begun: whether the series has a level by then: from an observation, or fixed at fit, [rows].
        peers: where the targets of each series' own kin stand, if there are several, [series, T].
    """

    spec: PreparationSpec
    rule: Reference
    offsets: Rows
    y: Array
    fill: Array
    age: Rows
    shift: Array
    scale: Array
    step: Array
    since: Rows
    past: Array
    known: Array
    owner: Rows
    begun: npt.NDArray[np.bool_]
    peers: Rows | None = None

    @property
    def last_rows(self) -> Rows:
        """The last row of each series."""
        return self.offsets[1:] - 1

    def origins(self, rows: Rows) -> Origins:
        """What may be looked at from each of the rows."""
        return Origins(
            gather_lookback(self.fill, self.age, rows),
            ~np.isnan(self.y[rows]),
            self.shift[rows],
            self.scale[rows],
            self.step[rows],
            self.since[rows],
            self.begun[rows],
        )

    def inputs(self, rows: Rows) -> Array:
        """The network's inputs X at each of the rows, [n, inputs]."""
        target = self.origins(rows).target_inputs(self.spec.lags, self.spec.show_missing, self.spec.show_gap)
        return side_by_side([target, self.past[rows], self._peer_inputs(rows), self.known_at(rows)])

    def _peer_inputs(self, rows: Rows) -> Array:
        """What is known of the other targets at the same time, [n, see `peer_width`]."""
        if self.peers is None:
            return np.zeros((len(rows), 0))
        owner, lengths = self.owner[rows], np.diff(self.offsets)
        kin, number = self.peers[owner], rows - self.offsets[owner]
        there = (kin >= 0) & (number[:, None] < lengths[kin])
        other = self.origins(np.where(there, self.offsets[kin] + number[:, None], 0).reshape(-1))
        level, observed = np.where(there, other.level.reshape(kin.shape), 0.0), other.observed.reshape(kin.shape)
        return peer_inputs(level, observed & there, kin == owner[:, None], self.spec.show_missing)

    def known_at(self, rows: Rows) -> Array:
        """What was known in advance of each of the rows, [n, K]."""
        known: Array = self.known[self._extended(rows)]
        return known

    def ahead(self, rows: Rows) -> Array:
        """The reference rule's forecasts from each of the rows, [n, horizon]."""
        lookback = gather_lookback(self.fill, self.age, rows)
        return self.rule.ahead(lookback, self.shift[rows], self.spec.horizon)

    def future(self, rows: Rows) -> Array:
        """What is known in advance of the steps after each of the rows, [n, horizon, K]."""
        steps = np.arange(1, self.spec.horizon + 1)
        known: Array = self.known[self._extended(rows)[:, None] + steps]
        return known

    def targets(self, rows: Rows, ends: Rows) -> Array:
        """The values after each of the rows, NaN where missing or not before the series' `ends`.

        Args:
            rows: origins, [n].
            ends: one past the last row of each series that may be seen, [series].

        Returns:
            [n, horizon], in the units of the series.
        """
        ahead = rows[:, None] + np.arange(1, self.spec.horizon + 1)
        inside = ahead < ends[self.owner[rows]][:, None]
        return np.where(inside, self.y[np.minimum(ahead, len(self.y) - 1)], np.nan)

    def _extended(self, rows: Rows) -> Rows:
        extended: Rows = rows + self.owner[rows] * self.spec.horizon
        return extended
