"""Going on learning from new rows without forgetting the old ones: windows of both, and a pull to the old weights."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from recurra.data.preparation import PreparedRows
from recurra.data.preparation.rows import Rows
from recurra.data.windows import WindowIndex
from recurra.models.forecast import AnyForecastNetwork
from recurra.shapes import Tensor
from recurra.training.forecast import ForecastTask, WindowBatch, WindowPlan

LOOKED_AT = 64
HALVINGS = 6
UNHELD = "no row that was learned from before stands in the table: none was replayed, none held against the new weights"
NOT_LEARNED = "the old rows got worse however small the change: the weights are as they were"


@dataclass(frozen=True)
class Retention:
    """How what was learned before is kept.

    Args:
        replay: share of each batch that is drawn from windows of old rows alone, if there are any.
        pull: weight of the squared distance from the old weights in the loss.
        tolerance: by how much the loss on the old rows may grow: as a share of a quantile loss; in nats of a
            likelihood, whose zero means nothing.

    Source: replay as in Rolnick et al. 2019; the pull is L2-SP of Li, Grandvalet & Davoine 2018.
    """

    replay: float = 0.5
    pull: float = 0.01
    tolerance: float = 0.01


@dataclass(frozen=True)
class Kept:
    """What an update came to: losses on windows of the old and of the new rows, before and after.

    Args:
        share: how far the weights have moved on the way that training took: 1 all of it, 0 none.
        old, new: (before, after); NaN where there are no such windows.
    """

    share: float
    old: tuple[float, float]
    new: tuple[float, float]

    @property
    def reason(self) -> str | None:
        """Why nothing was learned, or nothing was held against the old rows; None where both were done."""
        if math.isnan(self.old[0]):
            return UNHELD
        return NOT_LEARNED if self.share == 0.0 else None

    def told(self) -> dict[str, Any]:
        """Plain values for JSON; None where there were no such windows."""
        pairs = {"old": self.old, "new": self.new}
        losses = {name: [None if math.isnan(loss) else loss for loss in pair] for name, pair in pairs.items()}
        return {"share": self.share, **losses, **({} if self.reason is None else {"reason": self.reason})}


class ContinuedTask(ForecastTask):
    """A forecasting task whose batches mix windows that reach into new rows with windows of old ones.

    Args:
        network: trained before; goes on being trained in place.
        prepared: the whole table.
        windows: its windows.
        plan: how they are drawn.
        old: rows of each series that were learned from before, counted from its first, [series].
        retention: how the old is kept.
    """

    def __init__(
        self,
        network: AnyForecastNetwork,
        prepared: PreparedRows,
        windows: WindowIndex,
        plan: WindowPlan,
        old: Rows,
        retention: Retention,
    ) -> None:
        super().__init__(network, prepared, prepared.offsets[1:], windows, plan)
        reach = windows.starts + windows.lengths + network.shape.horizon
        is_new = reach > old[windows.series]
        self._new, self._old = np.flatnonzero(is_new), np.flatnonzero(~is_new)
        self._retention = retention
        self._anchor = [parameter.detach().clone() for parameter in network.parameters()]

    @property
    def n_batches(self) -> int:
        """Batches of an epoch: every new window comes once."""
        return max(1, min(self.plan.batches, -(-len(self._new) // self._share)))

    @property
    def _share(self) -> int:
        """New windows in a batch."""
        replayed = round(self._retention.replay * self.plan.batch_size) if len(self._old) else 0
        return max(1, self.plan.batch_size - replayed)

    def batches(self, epoch: int) -> Iterator[WindowBatch]:
        """New windows in an order, and old ones beside them, that depend on seed and epoch only."""
        random = np.random.default_rng(np.random.SeedSequence([self.plan.seed, epoch, 2]))
        order = random.permutation(self._new)
        for number in range(self.n_batches):
            chosen = order[number * self._share : (number + 1) * self._share]
            replayed = min(self.plan.batch_size - self._share, len(self._old))
            yield self._batch(np.concatenate([chosen, random.choice(self._old, replayed, replace=False)]), random)

    def loss(self, batch: WindowBatch) -> Tensor:
        """The task's loss, and the pull to the old weights."""
        pairs = zip(self.network.parameters(), self._anchor, strict=True)
        distance = torch.stack([((now - before) ** 2).sum() for now, before in pairs]).sum()
        return super().loss(batch) + self._retention.pull * distance

    def losses(self) -> tuple[float, float]:
        """The task's loss over fixed windows, evenly spaced, of the old rows and reaching into the new ones."""
        return self._loss_over(self._old), self._loss_over(self._new)

    @torch.no_grad()
    def _loss_over(self, windows: Rows) -> float:
        if not len(windows):
            return float("nan")
        spaced = windows[np.linspace(0, len(windows) - 1, min(LOOKED_AT, len(windows))).astype(np.int64)]
        self.network.eval()
        return float(super().loss(self._batch(spaced, np.random.default_rng(self.plan.seed))))

    def keep(self, before: tuple[float, float]) -> Kept:
        """Hold the way that the weights have gone against the old rows, and go back on it until they are as good.

        Args:
            before: `losses` of the old weights.
        """
        gone = [parameter.detach().clone() for parameter in self.network.parameters()]
        share, most = 1.0, before[0] + self._retention.tolerance * self._tolerated(before[0])
        after = self.losses()
        for halving in range(1, HALVINGS + 1):
            if not after[0] > most:
                break
            share = 0.0 if halving == HALVINGS else 0.5**halving
            with torch.no_grad():
                for parameter, old, new in zip(self.network.parameters(), self._anchor, gone, strict=True):
                    parameter.copy_(old + share * (new - old))
            after = self.losses()
        return Kept(share, (before[0], after[0]), (before[1], after[1]))

    def _tolerated(self, loss: float) -> float:
        """What the tolerance is a share of: the loss itself, or one nat."""
        return loss if self.network.shape.output == "quantiles" else 1.0
