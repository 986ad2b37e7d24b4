"""Learning to draw paths: windows of tracks, and a loss at several of their fixes at once."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from recurra.data.tracks import Augmentation, TrackInputs, TrackTable, TrackWindows, into, positions_ahead, transform
from recurra.models.trajectory import (
    PathOutput,
    TrajectoryNetwork,
    distance_loss,
    joint_log_likelihood,
    step_log_likelihood,
)
from recurra.shapes import Tensor

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MOST_VALIDATED = 6_000


@dataclass(frozen=True)
class TrackPlan:
    """How windows are drawn.

    Attributes:
        batch_size: windows of a batch.
        origins: fixes of a window that paths are drawn from at once; the last one is among them.
        first: the first fix, counted from 0, that paths are drawn from.
        augmentation: what is done to a window before.
        batches: batches of an epoch at most; None for every window once.
        seed: windows are a pure function of seed and epoch.
    """

    batch_size: int = 128
    origins: int = 2
    first: int = 1
    augmentation: Augmentation = field(default_factory=Augmentation)
    batches: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class TrackBatch:
    """Windows ready for the network.

    Attributes:
        x: inputs, [windows, fixes - 1, width].
        lengths: inputs of each window, [windows].
        origins: window and input of each path to be drawn, two arrays [n].
        error: how far constant velocity is off there, in usual steps along the heading, [n, horizon, 2].
        known: [n, horizon].
    """

    x: Tensor
    lengths: Tensor
    origins: tuple[Tensor, Tensor]
    error: Tensor
    known: Tensor


class LearningTracks:
    """A table of tracks with what came after each fix: targets, never inputs.

    Args:
        inputs: the table as the network sees it.
        horizon: steps ahead.
    """

    def __init__(self, inputs: TrackInputs, horizon: int) -> None:
        self.inputs, self.table = inputs, inputs.table
        spec = inputs.spec
        ahead = positions_ahead(self.table, spec.step_s, horizon, spec.max_gap_s)
        self.offsets = self.table.space.offset(self.table.position[:, None], ahead)
        onward = inputs.velocity[:, None] * np.arange(1.0, horizon + 1)[None, :, None]
        self.error = (self.offsets - onward) / spec.scale
        self.known: Bools = ~np.isnan(ahead[..., 0])

    def batch(
        self,
        rows: Ints,
        lengths: Ints,
        steps: Ints,
        dtype: torch.dtype,
        matrices: Array | None = None,
        moved: Array | None = None,
    ) -> TrackBatch:
        """Windows as tensors.

        Args:
            rows: the table's rows of each window, as in `TrackWindows`.
            lengths: fixes of each window.
            steps: fixes of the windows that paths are drawn from, from 1.
            dtype: of the network.
            matrices: of an augmentation.
            moved: errors by which the fixes are moved, in usual steps, [windows, fixes, 2].
        """
        seen = self.inputs.windows(rows, matrices, moved)
        chosen = (steps[None, :] < lengths[:, None]) & self.known[rows[:, steps]].any(-1)
        window, column = np.nonzero(chosen)
        at, last = steps[column] - 1, rows[window, steps[column]]
        error = np.nan_to_num(self.error[last])
        if matrices is not None:
            error = transform(error, matrices[window])
        if moved is not None:
            fix = steps[column]
            late = np.exp(-self.inputs.lapse[last])[:, None]
            faster = (moved[window, fix] - moved[window, fix - 1]) * late
            onward = faster[:, None] * np.arange(1.0, error.shape[1] + 1)[None, :, None]
            error = error - onward - moved[window, fix][:, None]
        turned = into(seen.frame[window, at][:, None], error)
        return TrackBatch(
            torch.as_tensor(seen.x, dtype=dtype),
            torch.as_tensor(lengths - 1),
            (torch.as_tensor(window), torch.as_tensor(at)),
            torch.as_tensor(turned, dtype=dtype),
            torch.as_tensor(self.known[last]),
        )


class TrajectoryTask:
    """Windows of training tracks, and windows of others to validate on.

    Every path is drawn from a state that has seen its window's fixes up to the origin, so that histories of every
    length up to the window's are learned from.

    Args:
        network: that is trained.
        training, validation: tables with what came after each fix.
        windows, held: windows of each.
        plan: how windows are drawn.
    """

    def __init__(
        self,
        network: TrajectoryNetwork,
        training: LearningTracks,
        validation: LearningTracks,
        windows: TrackWindows,
        held: TrackWindows,
        plan: TrackPlan,
    ) -> None:
        self.network, self.training, self.validation = network, training, validation
        self.windows, self.held, self.plan = windows, held, plan
        self._dtype = next(network.parameters()).dtype
        self._device = next(network.parameters()).device

    @property
    def n_batches(self) -> int:
        """Batches of an epoch."""
        every = -(-len(self.windows) // self.plan.batch_size)
        return max(1, every if self.plan.batches is None else min(every, self.plan.batches))

    def batches(self, epoch: int) -> Iterator[TrackBatch]:
        """Windows in an order, turned and mirrored in a way, that depends on seed and epoch only."""
        plan = self.plan
        random = np.random.default_rng(np.random.SeedSequence([plan.seed, epoch, 1]))
        order = self.windows.order(plan.seed, epoch)
        fixes = self.windows.rows.shape[1]
        for number in range(self.n_batches):
            chosen = order[number * plan.batch_size : (number + 1) * plan.batch_size]
            change = plan.augmentation
            matrices = None if change.does_nothing else change.matrices(len(chosen), random)
            moved = change.errors((len(chosen), fixes), random) if change.jitter else None
            early = np.arange(min(plan.first, fixes - 1), fixes - 1)
            drawn = random.permutation(early)[: plan.origins - 1]
            steps = np.sort(np.append(drawn, fixes - 1))
            lengths = self.windows.lengths[chosen]
            if (lengths < fixes).any():
                steps = np.unique(np.append(steps, lengths[lengths < fixes] - 1))
            batch = self.training.batch(self.windows.rows[chosen], lengths, steps, self._dtype, matrices, moved)
            if len(batch.origins[0]):
                yield batch

    def output(self, batch: TrackBatch) -> PathOutput:
        """The paths from every origin of a batch."""
        x = batch.x.to(self._device)
        states, _ = self.network.states(x, None, batch.lengths.to(self._device))
        window, at = batch.origins
        lags = self.network.shape.lags
        return self.network.paths(states[window, at], x[window, at], lagged(x, window, at, lags) if lags else None)

    def loss(self, batch: TrackBatch) -> Tensor:
        """Mean distance for points; for distributions the negative log likelihood, of single positions and of paths."""
        output = self.output(batch)
        error, known = batch.error.to(self._device), batch.known.to(self._device)
        if output.factors is None:
            return distance_loss(output, error, known)
        joint = joint_log_likelihood(output, error, known, self.network.rho)
        return -0.5 * (step_log_likelihood(output, error, known) + joint)

    def validation_loss(self) -> float:
        """The loss at the last fix of every window that is held out."""
        total = count = 0.0
        for batch in self.held_batches():
            size = float(batch.known.sum())
            total, count = total + float(self.loss(batch).detach()) * size, count + size
        return total / max(count, 1.0)

    def held_batches(self) -> Iterator[TrackBatch]:
        """The windows held out, from their last fix, an even choice of them where there are very many."""
        stride = -(-len(self.held) // MOST_VALIDATED)
        chosen = np.arange(0, len(self.held), stride)
        for begin in range(0, len(chosen), 1024):
            part = chosen[begin : begin + 1024]
            lengths = self.held.lengths[part]
            for length in np.unique(lengths):
                rows = self.held.rows[part[lengths == length]][:, :length]
                at = np.array([length - 1])
                batch = self.validation.batch(rows, np.full(len(rows), length), at, self._dtype)
                if len(batch.origins[0]):
                    yield batch


def lagged(x: Tensor, window: Tensor, at: Tensor, lags: int) -> Tensor:
    """The latest `lags` inputs of each origin, the last one first, zeros before the first; [n, lags * width]."""
    back = at[:, None] - torch.arange(lags, device=at.device)
    found = x[window[:, None].to(x.device), back.clamp_min(0).to(x.device)]
    return torch.where((back >= 0)[..., None].to(x.device), found, 0.0).flatten(1)


def usual_step(table: TrackTable, step_s: float, pieces: Ints) -> float:
    """Root mean square of the way of one step, in units of length: the unit in which a network computes.

    Args:
        table: the training tracks.
        step_s: seconds of a step.
        pieces: from `TrackTable.pieces`; the way into a new piece does not count.
    """
    inside = np.diff(pieces, prepend=-1) == 0
    lapse = np.where(inside, table.elapsed, 1.0)
    ways = np.hypot(table.steps[:, 0], table.steps[:, 1]) * step_s / lapse
    mean = float(np.sqrt(np.mean(np.square(ways[inside])))) if inside.any() else 0.0
    return mean if mean > 0.0 else 1.0
