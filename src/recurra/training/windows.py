"""Learning numbers from windows of fixed length: arrays in memory, squared error."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recurra.models.regression import WindowNetwork
from recurra.shapes import Float, Tensor

Rows = npt.NDArray[np.int64]


class WindowTask:
    """Windows to learn from, and others to validate on.

    Args:
        network: the network that is trained.
        x: windows, [n, time, input], standardised.
        y: what the network is to tell of each, [n, output], standardised.
        held_out: numbers of the rows to validate on; none for a run that validates on what it learned from.
        batch_size: windows learned at once.
        seed: the order of rows is a pure function of seed and epoch.
    """

    def __init__(
        self,
        network: WindowNetwork,
        x: Float[Tensor, "n time input"],
        y: Float[Tensor, "n output"],
        held_out: Rows,
        batch_size: int,
        seed: int,
    ) -> None:
        self.network, self.x, self.y = network, x, y
        self.batch_size, self.seed = batch_size, seed
        self._learned = np.setdiff1d(np.arange(len(x)), held_out)
        self._validated = held_out if len(held_out) else self._learned

    @property
    def n_batches(self) -> int:
        """Batches of an epoch."""
        return max(1, -(-len(self._learned) // self.batch_size))

    def batches(self, epoch: int) -> Iterator[Rows]:
        """Row numbers in an order that depends on seed and epoch only."""
        order = np.random.default_rng(np.random.SeedSequence([self.seed, epoch])).permutation(self._learned)
        for number in range(self.n_batches):
            yield order[number * self.batch_size : (number + 1) * self.batch_size]

    def loss(self, batch: Rows) -> Tensor:
        """Mean squared error of some rows."""
        error: Tensor = self.network(self.x[batch]) - self.y[batch]
        return error.square().mean()

    def validation_loss(self) -> float:
        """Mean squared error of the rows that are validated on."""
        return float(self.loss(self._validated).detach())
