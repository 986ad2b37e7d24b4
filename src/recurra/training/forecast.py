"""Learning to forecast: windows of a table, warmed states, and a loss at every time step."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from recurra.data.preparation import PreparedRows
from recurra.data.preparation.reference import Array
from recurra.data.preparation.rows import Rows
from recurra.data.windows import WindowIndex
from recurra.models.forecast import AnyForecastNetwork, RulePath, State
from recurra.shapes import Float, Tensor

VALUES_AT_ONCE = 4_000_000
VALUES_KEPT = 16_000_000
"""Forecasts of the rule that are kept for all epochs; of a larger table they are made again for every batch."""


@dataclass(frozen=True)
class WindowPlan:
    """How windows are drawn from a table.

    Args:
        context: steps of a window that are learned from.
        batch_size: windows of a batch.
        batches: batches of an epoch at most.
        warmup: steps before a window that may warm its state, without gradients.
        cold: share of windows that begin from the zero state.
        origins: forecasts of one window that are scored at most; a random subset where a window has more.
        youngest: steps a series must have been seen for before its forecasts are scored.
        seed: windows are a pure function of seed and epoch.
        validated: origins to validate on at most; None for all.
    """

    context: int
    batch_size: int = 32
    batches: int = 100
    warmup: int = 0
    cold: float = 0.25
    origins: int = 256
    youngest: int = 1
    seed: int = 0
    validated: int | None = None


@dataclass(frozen=True)
class WindowBatch:
    """Rows of a batch of windows, the warm-up rows before them, and which of their steps are scored."""

    rows: Rows
    lengths: Rows
    warm_rows: Rows
    warm_lengths: Rows
    scored: Rows


class ForecastTask:
    """Windows of the training rows, and the last rows of each series to validate on.

    A window's state is warmed over a random stretch of the rows before it, so that the network learns
    to run on a carried state of any age, as a stream does.

    Args:
        network: the network that is trained.
        prepared: the whole table; rows at or after `cuts` are never trained on.
        cuts: one past the last training row of each series, [series].
        windows: the windows of the training rows.
        plan: how they are drawn.
        stops: one past the last row of each series to validate on; the end of the series by default, [series].
    """

    def __init__(
        self,
        network: AnyForecastNetwork,
        prepared: PreparedRows,
        cuts: Rows,
        windows: WindowIndex,
        plan: WindowPlan,
        stops: Rows | None = None,
    ) -> None:
        self.network, self.prepared, self.cuts = network, prepared, cuts
        self.stops = prepared.offsets[1:] if stops is None else stops
        self.windows, self.plan = windows, plan
        parameter = next(network.parameters())
        self._dtype, self._device = parameter.dtype, parameter.device
        self.inputs = self._tensor(prepared.inputs(np.arange(len(prepared.y), dtype=np.int64)))
        self._unit = mean_steps(prepared, cuts)
        self._validation = self._validation_rows()
        self._ahead = self._ahead_everywhere()

    @property
    def n_batches(self) -> int:
        """Batches of an epoch."""
        return max(1, min(self.plan.batches, -(-len(self.windows) // self.plan.batch_size)))

    def batches(self, epoch: int) -> Iterator[WindowBatch]:
        """Windows in an order, and with warm-ups, that depend on seed and epoch only."""
        random = np.random.default_rng(np.random.SeedSequence([self.plan.seed, epoch, 1]))
        order = self.windows.order(self.plan.seed, epoch)
        for number in range(self.n_batches):
            chosen = order[number * self.plan.batch_size : (number + 1) * self.plan.batch_size]
            yield self._batch(chosen, random)

    def _batch(self, chosen: Rows, random: np.random.Generator) -> WindowBatch:
        before, lengths = self.windows.starts[chosen], self.windows.lengths[chosen]
        starts = self.prepared.offsets[self.windows.series[chosen]] + before
        drawn = random.integers(0, self.plan.warmup + 1, len(starts)) * (random.random(len(starts)) >= self.plan.cold)
        warm_lengths = np.minimum(drawn, before)
        longest, warmest = int(lengths.max()), int(warm_lengths.max())
        steps, warm_steps = np.arange(longest), np.arange(warmest)
        rows = np.minimum(starts[:, None] + steps, (starts + lengths - 1)[:, None])
        first_warm = starts - warm_lengths
        warm_rows = np.minimum(first_warm[:, None] + warm_steps, starts[:, None])
        scored = steps
        if longest > self.plan.origins:
            scored = np.sort(random.choice(longest, self.plan.origins, replace=False))
        return WindowBatch(rows, lengths, warm_rows, warm_lengths, scored)

    def loss(self, batch: WindowBatch) -> Tensor:
        """Mean loss of the forecasts made at every scored step of the windows."""
        state = self._warm_state(batch)
        lengths = torch.as_tensor(batch.lengths, device=self._device)
        output, _ = self.network.states(self.inputs[batch.rows], state, lengths)
        rows = batch.rows[:, batch.scored]
        inside = batch.scored[None, :] < batch.lengths[:, None]
        chosen = torch.as_tensor(inside, device=self._device)
        return self._loss_at(output[:, batch.scored][chosen], rows[inside], self.cuts)

    def rule_errors(self, most: int) -> Array:
        """Errors of the rule from training rows, in units of its error one step ahead; NaN where unknown, [n, horizon].

        Args:
            most: rows, evenly spaced where there are more.
        """
        prepared = self.prepared
        rows = np.flatnonzero(
            (prepared.age >= self.plan.youngest) & (np.arange(len(prepared.y)) < self.cuts[prepared.owner])
        )
        rows = rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64)] if len(rows) else rows
        return (prepared.targets(rows, self.cuts) - prepared.ahead(rows)) / prepared.step[rows][:, None]

    def _warm_state(self, batch: WindowBatch) -> State | None:
        if not batch.warm_lengths.any():
            return None
        with torch.no_grad():
            lengths = torch.as_tensor(batch.warm_lengths, device=self._device)
            _, state = self.network.states(self.inputs[batch.warm_rows], None, lengths)
        return state

    def _loss_at(self, h: Float[Tensor, "n hidden"], rows: Rows, ends: Rows) -> Tensor:
        """Mean loss in units of each series' mean absolute step, over the targets that exist before `ends`."""
        each, known = self._losses_at(h, rows, ends)
        return each.sum() / max(float(known.sum()), 1.0)

    def _losses_at(
        self, h: Float[Tensor, "n hidden"], rows: Rows, ends: Rows
    ) -> tuple[Float[Tensor, "n horizon"], npt.NDArray[np.bool_]]:
        """The loss of every target, 0 where there is none before `ends`, and whether it is there."""
        prepared, network = self.prepared, self.network
        ahead = prepared.ahead(rows) if self._ahead is None else self._ahead[rows]
        columns = (ahead, prepared.step[rows][:, None], prepared.scale[rows][:, None])
        path = RulePath(*(self._double(column) for column in columns))
        y, unit = prepared.targets(rows, ends), self._unit[prepared.owner[rows]][:, None]
        future = self._tensor(prepared.future(rows)) if network.shape.n_future else None
        lookback = network.shape.lookback
        window = self._tensor(prepared.origins(rows).window(lookback)) if lookback else None
        raw = network.raw(h, future, window)
        each = network.output.loss(raw, self._double(y), path, self._double(unit))
        old = torch.as_tensor(prepared.age[rows] >= self.plan.youngest, device=self._device)
        return each * old[:, None], ~np.isnan(y)

    def _ahead_everywhere(self) -> Array | None:
        """The rule's forecasts from every row, [rows, horizon], if they are worth their memory."""
        prepared, n = self.prepared, len(self.prepared.y)
        if n * prepared.spec.horizon > VALUES_KEPT:
            return None
        size = max(1, VALUES_AT_ONCE // (prepared.rule.reach + prepared.spec.horizon))
        return np.concatenate([prepared.ahead(np.arange(i, min(i + size, n))) for i in range(0, n, size)])

    def _double(self, array: Array) -> Tensor:
        return torch.as_tensor(array, dtype=torch.float64, device=self._device)

    def _tensor(self, array: Array) -> Tensor:
        return torch.as_tensor(array, dtype=self._dtype, device=self._device)

    def _validation_rows(self) -> list[tuple[int, int, int]]:
        """(first row to run from, first origin, end) of each series that has rows after its cut."""
        lead = 4 * self.plan.context
        bounds = zip(self.prepared.offsets[:-1], self.stops, self.cuts, strict=True)
        return [(max(int(b), int(c) - lead), int(c) - 1, int(e)) for b, e, c in bounds if e > c]

    @property
    def validates(self) -> bool:
        """Whether any series has a target to validate on, after a row that is old enough to forecast from."""
        y, age = self.prepared.y, self.prepared.age
        bounds = [(origin, end) for _, origin, end in self._validation if age[end - 2] >= self.plan.youngest]
        return any(not np.isnan(y[origin + 1 : end]).all() for origin, end in bounds)

    def validation_loss(self) -> float:
        """Mean loss of the forecasts made from the cut on, by a state carried over the rows before."""
        total = count = 0.0
        for rows, losses, known in self._validated():
            total += float(losses.sum()) / max(float(known.sum()), 1.0) * len(rows)
            count += len(rows)
        return float(total / max(count, 1.0))

    def validation_blocks(self, horizon: int) -> Array:
        """Mean loss over each stretch of `horizon` origins of each series, which share few targets, [stretches]."""
        found = [(rows, losses.sum(1).double().numpy(), known.sum(1)) for rows, losses, known in self._validated()]
        if not found:
            return np.zeros(0)
        rows, losses, known = (np.concatenate(parts) for parts in zip(*found, strict=True))
        owner = self.prepared.owner[rows]
        number = (rows - self.cuts[owner] + 1) // horizon
        _, stretch = np.unique(owner * (int(number.max()) + 1) + number, return_inverse=True)
        sums, counts = np.bincount(stretch, losses), np.bincount(stretch, known)
        blocks: Array = sums[counts > 0] / counts[counts > 0]
        return blocks

    def _validated(self) -> Iterator[tuple[Rows, Tensor, npt.NDArray[np.bool_]]]:
        """Origins to validate on, the losses of their targets and whether these are there, part by part."""
        for first in range(0, len(self._validation), 64):
            part = np.array(self._validation[first : first + 64])
            lengths = part[:, 2] - 1 - part[:, 0]
            steps = np.arange(int(lengths.max()))
            rows = part[:, :1] + np.minimum(steps, lengths[:, None] - 1)
            output, _ = self.network.states(self.inputs[rows], None, torch.as_tensor(lengths))
            scored = (steps < lengths[:, None]) & (rows >= part[:, 1:2])
            h, origins = output[torch.as_tensor(scored)], rows[scored]
            for block in self._blocks(len(origins)):
                losses, known = self._losses_at(h[block], origins[block], self.stops)
                yield origins[block], losses.detach().cpu(), known

    def _blocks(self, n: int) -> list[Rows]:
        """Origins to validate on, evenly spaced if the plan bounds their number, in blocks that fit into memory."""
        most = self.plan.validated
        chosen = np.arange(n) if most is None or n <= most else np.linspace(0, n - 1, most).astype(np.int64)
        size = max(1, VALUES_AT_ONCE // (self.network.shape.horizon * len(self.network.output.start)))
        return [chosen[begin : begin + size] for begin in range(0, len(chosen), size)]


def mean_steps(prepared: PreparedRows, cuts: Rows) -> Array:
    """Mean absolute difference of neighbouring training rows of each series, 1 for a constant one, [series].

    Losses in this unit are comparable between series and between the rules that forecasts start from.
    """
    steps = np.ones(len(cuts))
    for i, (begin, cut) in enumerate(zip(prepared.offsets[:-1], cuts, strict=True)):
        change = np.abs(np.diff(prepared.y[begin:cut]))
        mean = float(np.mean(change[~np.isnan(change)])) if (~np.isnan(change)).any() else 0.0
        steps[i] = mean if mean > 0 else 1.0
    return steps
