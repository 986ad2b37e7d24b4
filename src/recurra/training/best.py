"""The best weights so far, kept beside the network that goes on learning."""

import math

import torch
from torch import nn


class BestWeights:
    """Keeps a copy of the weights with the lowest validation loss, and puts them back.

    Before the first offer the starting weights count as the best, so that a run which ends in its
    first epoch leaves the network as it was.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self.loss, self.epoch = math.inf, 0
        self._weights = self._copy()

    def _copy(self) -> dict[str, torch.Tensor]:
        return {name: value.detach().clone() for name, value in self._network.state_dict().items()}

    def offer(self, loss: float, epoch: int) -> bool:
        """Keep the network's present weights if `loss` is the lowest so far; tells whether they were kept."""
        if not loss < self.loss:
            return False
        self.loss, self.epoch, self._weights = loss, epoch, self._copy()
        return True

    def restore(self) -> None:
        """Put the best weights back into the network."""
        self._network.load_state_dict(self._weights)
