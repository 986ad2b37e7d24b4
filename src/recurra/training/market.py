"""Learning to forecast markets: windows of trading days, and a loss at every day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from recurra.models.market import MarketNetwork, PathTensors
from recurra.shapes import Tensor

Rows = npt.NDArray[np.int64]
WARM = 22


@dataclass(frozen=True)
class MarketDays:
    """Prepared days of one asset; the tensors are float32.

    Args:
        x: scaled inputs, [rows, inputs].
        path: the log-HAR path at every row, each [rows, horizons].
        log_variance: what came: logarithm of the mean variance of the next days, [rows, horizons]; NaN where unknown.
        returns: sum of the next returns, [rows, horizons]; NaN where unknown.
        cut: rows to learn from; what follows is validated on.
    """

    x: Tensor
    path: PathTensors
    log_variance: Tensor
    returns: Tensor
    cut: int


@dataclass(frozen=True)
class LossWeights:
    """Shares of the three losses.

    Args:
        log_variance: negative log likelihood of the log variance.
        qlike: QLIKE of the expected variance.
        returns: negative log likelihood of the returns.
    """

    log_variance: float = 0.5
    qlike: float = 0.5
    returns: float = 0.3


class MarketTask:
    """Windows of the training days of every asset, cut at a new place in each epoch.

    The first month of a window only warms the state. A target that reaches to or beyond an asset's cut takes no part
    in training. Without rows after the cut, the validation loss is that of the training days themselves.

    Args:
        network: the network that is trained.
        assets: their days.
        weights: of the losses.
        context: days of a window that are learned from.
        batch_size: windows learned at once.
        seed: windows are a pure function of seed and epoch.
    """

    def __init__(
        self, network: MarketNetwork, assets: Sequence[MarketDays], weights: LossWeights, context: int, batch_size: int,
        seed: int,
    ) -> None:  # fmt: skip
        self.network, self.weights = network, weights
        self.context, self.batch_size, self.seed = context, batch_size, seed
        ends = np.cumsum([len(days.x) for days in assets])
        self._starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
        self._cuts = np.array([days.cut for days in assets], np.int64)
        self._ends = ends
        self._assets = assets
        self._x = torch.cat([days.x for days in assets])
        self._path = PathTensors(*(torch.cat([getattr(days.path, name) for days in assets]) for name in _PATH))
        self._log_variance = torch.cat([days.log_variance for days in assets])
        self._returns = torch.cat([days.returns for days in assets])
        self._learned = self._before_cut()

    def _before_cut(self) -> Tensor:
        """Whether each row's target lies wholly before its asset's cut, [rows, horizons]."""
        ahead = np.array(self.network.shape.horizons)
        inside = [np.arange(len(days.x))[:, None] + ahead < days.cut for days in self._assets]
        return torch.from_numpy(np.concatenate(inside))

    @property
    def n_batches(self) -> int:
        """Batches of an epoch."""
        windows = int(sum(max((cut - WARM) // self.context, 1) for cut in self._cuts))
        return max(1, -(-windows // self.batch_size))

    def batches(self, epoch: int) -> Iterator[tuple[Rows, Rows]]:
        """Rows of windows, [batch, time], and how many of each count; drawn from seed and epoch only."""
        random = np.random.default_rng(np.random.SeedSequence([self.seed, epoch, 2]))
        begins, lengths = [], []
        for start, cut in zip(self._starts, self._cuts, strict=True):
            first = np.arange(random.integers(0, self.context) - self.context, cut, self.context)
            begin = np.maximum(first - WARM, 0)
            length = np.minimum(first + self.context, cut) - begin
            begins.append(start + begin[length > WARM])
            lengths.append(length[length > WARM])
        begin, length = np.concatenate(begins), np.concatenate(lengths)
        order = random.permutation(len(begin))
        for part in np.array_split(order, min(self.n_batches, len(order))):
            steps = np.arange(int(length[part].max()))
            yield begin[part][:, None] + np.minimum(steps, length[part][:, None] - 1), length[part]

    def loss(self, batch: tuple[Rows, Rows]) -> Tensor:
        """Mean loss over the days of the windows after their first month."""
        rows, lengths = batch
        output, _ = self.network.states(self._x[rows], None, torch.from_numpy(lengths))
        inside = np.arange(rows.shape[1]) < lengths[:, None]
        inside[:, :WARM] = False
        return self._mean_loss(output[torch.from_numpy(inside)], rows[inside], self._learned)

    def validation_loss(self) -> float:
        """Mean loss over the days after the cuts, by a carried state; if there are none, over the days before."""
        total = count = 0.0
        for days, start, end in zip(self._assets, self._starts, self._ends, strict=True):
            output, _ = self.network.states(days.x[None])
            held_out = days.cut < len(days.x)
            first = days.cut if held_out else WARM
            rows = np.arange(start + first, end)
            mask = torch.ones_like(self._learned) if held_out else self._learned
            loss = float(self._mean_loss(output[0, first:], rows, mask).detach())
            total, count = total + loss * len(rows), count + len(rows)
        return total / max(count, 1.0)

    def _mean_loss(self, h: Tensor, rows: Rows, chosen: Tensor) -> Tensor:
        path = PathTensors(*(getattr(self._path, name)[rows] for name in _PATH))
        answer = self.network.answer(h, self._x[rows], path)
        log_variance, returns, mask = self._log_variance[rows], self._returns[rows], chosen[rows]
        known = mask & ~log_variance.isnan()
        target = torch.where(known, log_variance, path.log_variance)
        difference = target - answer.variance.log()
        losses = -self.weights.log_variance * answer.log_variance.log_prob(target)
        losses = losses + self.weights.qlike * (difference.exp() - difference - 1.0)
        total = (losses * known).sum() / known.sum().clamp_min(1)
        known = mask & ~returns.isnan()
        nll = -answer.returns.log_prob(torch.where(known, returns, path.mean))
        return total + self.weights.returns * (nll * known).sum() / known.sum().clamp_min(1)


_PATH = ("log_variance", "spread", "smearing", "mean", "scale")
