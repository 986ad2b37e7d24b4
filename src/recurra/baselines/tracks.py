"""The naive rules for moving objects: stand still, go on as now, go on as of late, a linear map of the last ways."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from recurra.data.tracks import PathForecasts, TrackTable, TrackWindows, into, out_of
from recurra.data.tracks.inputs import headings
from recurra.errors import NotFittedError

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
RuleT = TypeVar("RuleT", bound="TrackRule")

SMALLEST_SPREAD = 1e-6
"""Of the largest: where a rule never misses, its distribution still has a width."""


@dataclass(frozen=True)
class Histories:
    """What is known of many objects, each at its own last fix.

    Attributes:
        table: the tracks.
        rows: of each history, [n, fixes], as in `TrackWindows`.
        lengths: its fixes, [n].
        step_s: seconds of a step of the horizon.
    """

    table: TrackTable
    rows: Ints
    lengths: Ints
    step_s: float

    @classmethod
    def of(cls, table: TrackTable, windows: TrackWindows, step_s: float, observed: int | None = None) -> "Histories":
        """The histories of windows, or of their first `observed` fixes."""
        fixes = windows.rows.shape[1] if observed is None else observed
        return cls(table, windows.rows[:, :fixes], np.minimum(windows.lengths, fixes), step_s)

    @property
    def last_rows(self) -> Ints:
        """The row that each prediction is made from, [n]."""
        return self.rows[np.arange(len(self.rows)), self.lengths - 1]

    def velocities(self, count: int) -> Array:
        """The ways of one step at the last fixes, the latest first, [n, count, 2]; NaN before there is one."""
        back = self.lengths[:, None] - 1 - np.arange(count)
        rows = np.take_along_axis(self.rows, np.maximum(back, 0), 1)
        lapse = np.where(self.table.elapsed[rows] > 0, self.table.elapsed[rows], np.nan)
        ways = self.table.steps[rows] * (self.step_s / lapse)[..., None]
        return np.where((back >= 1)[..., None], ways, np.nan)


class TrackRule(ABC):
    """A naive rule: from the history of each object alone to its next positions.

    * Its distribution is a normal one around its own path, with the covariance of its misses at each step on the
      histories it was fitted on; on a flat map as seen along the heading.
    * An object whose history is too short for the rule goes on as it last moved, or stands still.

    Attributes:
        name: how reports call the rule.
    """

    name: str

    def __init__(self) -> None:
        self._factors: Array | None = None

    @abstractmethod
    def paths(self, histories: Histories, horizon: int) -> Array:
        """Offsets from the last fix, [n, horizon, 2]."""

    def fit(self: RuleT, histories: Histories, ahead: Array) -> RuleT:
        """Learn from histories and what came after them.

        Args:
            histories: what was known.
            ahead: offsets from each last fix, [n, horizon, 2]; NaN where not known.
        """
        self._learn(histories, ahead)
        misses = into(self._frames(histories)[:, None], ahead - self.paths(histories, ahead.shape[1]))
        self._factors = np.stack([_factor(misses[:, k]) for k in range(ahead.shape[1])])
        return self

    def _learn(self, histories: Histories, ahead: Array) -> None:
        """Coefficients, if the rule has any; most have none."""
        del histories, ahead

    def forecast(self, histories: Histories) -> PathForecasts:
        """The rule's paths with their distribution.

        Raises:
            NotFittedError: before `fit`.
        """
        if self._factors is None:
            raise NotFittedError(f"the rule {self.name!r} has not seen its own misses yet; call fit first")
        path = self.paths(histories, len(self._factors))
        table, last, frames = histories.table, histories.last_rows, self._frames(histories)
        columns = np.moveaxis(out_of(frames[:, None, None], np.swapaxes(self._factors, -1, -2)[None]), -1, -2)
        owner = table.owner[last]
        return PathForecasts(
            ids=tuple(table.ids[i] for i in owner), origin=table.position[last], origin_time=table.time[last],
            step_s=histories.step_s, path=path, weights=np.ones((len(last), 1)), means=path[:, None],
            factors=np.ascontiguousarray(columns)[:, None], space=table.space,
        )  # fmt: skip

    def _frames(self, histories: Histories) -> Array:
        """The heading of each object, [n, 2]; on the globe always east."""
        if histories.table.columns.geographic:
            return np.broadcast_to(np.array([1.0, 0.0]), (len(histories.rows), 2))
        return headings(np.nan_to_num(histories.velocities(1)[:, 0]))


class StandStill(TrackRule):
    """Every object stays where it was last seen."""

    name = "stand still"

    def paths(self, histories: Histories, horizon: int) -> Array:
        """Zeros, [n, horizon, 2]."""
        return np.zeros((len(histories.rows), horizon, 2))


class ConstantVelocity(TrackRule):
    """Every object goes on as between its last two fixes: hard to beat for pedestrians (Schöller et al. 2020)."""

    name = "constant velocity"

    def paths(self, histories: Histories, horizon: int) -> Array:
        """Step k at k v, [n, horizon, 2]."""
        return _onward(np.nan_to_num(histories.velocities(1)[:, 0]), horizon)


class MeanVelocity(TrackRule):
    """Every object goes on as over its last fixes on average.

    Args:
        count: ways between fixes that are averaged; fewer where a history is shorter.
    """

    name = "mean velocity"

    def __init__(self, count: int = 7) -> None:
        super().__init__()
        self.count = count

    def paths(self, histories: Histories, horizon: int) -> Array:
        """Step k at k times the mean of v, [n, horizon, 2]."""
        v = histories.velocities(self.count)
        known = ~np.isnan(v[..., 0])
        mean = np.where(known[..., None], v, 0.0).sum(1) / np.maximum(known.sum(1), 1)[:, None]
        return _onward(mean, horizon)


class LinearMap(TrackRule):
    """The next positions as a linear map of the last ways, and of the place if asked, by least squares with a ridge.

    A history that is too short goes on as it last moved.

    Args:
        count: latest ways between fixes that are read.
        place: read the position too, as storms turn where they are.
        ridge: of standardised inputs, a share of the number of rows.
    """

    name = "linear map"

    def __init__(self, count: int = 7, place: bool = False, ridge: float = 1e-6) -> None:
        super().__init__()
        self.count, self.place, self.ridge = count, place, ridge
        self._weights: Array | None = None

    def _inputs(self, histories: Histories) -> Array:
        v = histories.velocities(self.count).reshape(len(histories.rows), -1)
        place = histories.table.position[histories.last_rows] if self.place else np.zeros((len(v), 0))
        return np.concatenate([v, place], 1)

    def _learn(self, histories: Histories, ahead: Array) -> None:
        inputs = self._inputs(histories)
        usable = ~np.isnan(inputs).any(1)
        design = inputs[usable]
        self._middle, self._spread = design.mean(0), np.where(design.std(0) > 0, design.std(0), 1.0)
        design = np.concatenate([(design - self._middle) / self._spread, np.ones((len(design), 1))], 1)
        targets = ahead[usable].reshape(len(design), -1)
        self._weights = np.stack([self._solve(design, targets[:, j]) for j in range(targets.shape[1])], 1)

    def _solve(self, design: Array, target: Array) -> Array:
        known = ~np.isnan(target)
        x, y = design[known], target[known]
        penalty = self.ridge * max(len(x), 1) * np.eye(x.shape[1])
        penalty[-1, -1] = 0.0
        return np.asarray(np.linalg.lstsq(x.T @ x + penalty, x.T @ y, rcond=None)[0])

    def paths(self, histories: Histories, horizon: int) -> Array:
        """W [v(t), v(t-1), ..., place, 1], [n, horizon, 2]."""
        if self._weights is None:
            raise NotFittedError("the linear map has no coefficients yet; call fit first")
        inputs = self._inputs(histories)
        short = np.asarray(np.isnan(inputs).any(1))
        design = (np.nan_to_num(inputs) - self._middle) / self._spread
        mapped = (np.concatenate([design, np.ones((len(design), 1))], 1) @ self._weights).reshape(len(design), -1, 2)
        going_on = ConstantVelocity().paths(histories, mapped.shape[1])
        return np.where(short[:, None, None], going_on, mapped)[:, :horizon]


def track_rules(observed: int, place: bool = False) -> Sequence[TrackRule]:
    """The rules that a trajectory report always has, for histories of so many fixes."""
    count = max(observed - 1, 1)
    return StandStill(), ConstantVelocity(), MeanVelocity(count), LinearMap(count, place)


def _onward(velocity: Array, horizon: int) -> Array:
    return np.asarray(velocity[:, None] * np.arange(1.0, horizon + 1)[None, :, None])


def _factor(misses: Array) -> Array:
    """A lower factor of the second moment of misses [n, 2]; a tiny circle where there are none."""
    known = misses[~np.isnan(misses).any(1)]
    moment = known.T @ known / max(len(known), 1)
    least = max(float(np.trace(moment)) * SMALLEST_SPREAD, 1e-18)
    return np.asarray(np.linalg.cholesky(moment + least * np.eye(2)))
