"""The best weights so far, or the mean of the best few, kept beside the network that goes on learning."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

Weights = dict[str, torch.Tensor]


class BestWeights:
    """Keeps a copy of the weights with the lowest validation loss, and puts them back.

    Before the first offer the starting weights count as the best, so that a run which ends in its
    first epoch leaves the network as it was.

    Args:
        network: whose weights are kept.
        average: the mean of the weights of so many epochs, those with the lowest losses, is put back.
    """

    def __init__(self, network: nn.Module, average: int = 1) -> None:
        self._network, self._average = network, average
        self.loss, self.epoch = math.inf, 0
        self._kept: list[tuple[float, Weights]] = [(math.inf, self._copy())]

    def _copy(self) -> Weights:
        return {name: value.detach().clone() for name, value in self._network.state_dict().items()}

    def offer(self, loss: float, epoch: int) -> bool:
        """Keep the network's present weights if `loss` is among the lowest so far; tells whether it is the lowest."""
        if not loss < self._kept[-1][0] and len(self._kept) >= self._average:
            return False
        if not math.isfinite(loss):
            return False
        kept = [each for each in self._kept if math.isfinite(each[0])]
        self._kept = sorted([*kept, (loss, self._copy())], key=lambda each: each[0])[: self._average]
        if not loss < self.loss:
            return False
        self.loss, self.epoch = loss, epoch
        return True

    def restore(self) -> None:
        """Put the best weights, or the mean of the best ones, back into the network."""
        self._network.load_state_dict(average_weights([weights for _, weights in self._kept]))

    def to_config(self) -> dict[str, Any]:
        """Plain values that describe what is kept; infinite losses are None."""
        losses = [loss if math.isfinite(loss) else None for loss, _ in self._kept]
        return {"epoch": self.epoch, "loss": self.loss if math.isfinite(self.loss) else None, "losses": losses}

    def to_tensors(self) -> Weights:
        """All weights that are kept."""
        return {
            f"{number}.{name}": value
            for number, (_, weights) in enumerate(self._kept)
            for name, value in weights.items()
        }

    def load(self, config: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        """Take over what `to_config` and `to_tensors` described."""
        self.epoch, self.loss = config["epoch"], math.inf if config["loss"] is None else config["loss"]
        names = list(self._network.state_dict())
        self._kept = [
            (math.inf if loss is None else loss, {name: tensors[f"{number}.{name}"] for name in names})
            for number, loss in enumerate(config["losses"])
        ]


def average_weights(several: Sequence[Mapping[str, torch.Tensor]]) -> Weights:
    """The mean of several networks' weights, name by name."""
    if len(several) == 1:
        return dict(several[0])
    return {name: torch.stack([weights[name] for weights in several]).mean(0) for name in several[0]}
