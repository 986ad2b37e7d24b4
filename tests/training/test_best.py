"""The best weights, and the mean of the best few."""

import math

import torch
from torch import nn

from recurra.training import average_weights
from recurra.training.best import BestWeights


def offer(best: BestWeights, network: nn.Linear, losses: list[float]) -> list[bool]:
    """Offer weights of 1, 2, 3 ... with these losses."""
    kept = []
    for epoch, loss in enumerate(losses, start=1):
        nn.init.constant_(network.weight, epoch)
        kept.append(best.offer(loss, epoch))
    return kept


def test_the_mean_of_the_best_epochs_is_put_back() -> None:
    # by hand: the lowest three of the losses are those of epochs 2, 3 and 5, whose mean is 10 / 3
    network = nn.Linear(1, 1)
    best = BestWeights(network, average=3)
    assert offer(best, network, [9.0, 2.0, 1.0, math.nan, 3.0, 8.0]) == [True, True, True, False, False, False]
    best.restore()
    assert network.weight.item() == torch.tensor(10 / 3).item()
    assert (best.epoch, best.loss) == (3, 1.0)


def test_fewer_epochs_than_asked_for_are_averaged_without_the_starting_weights() -> None:
    network = nn.Linear(1, 1)
    best = BestWeights(network, average=5)
    offer(best, network, [4.0, 3.0])
    best.restore()
    assert network.weight.item() == 1.5


def test_what_is_kept_goes_through_a_folder() -> None:
    network = nn.Linear(1, 1)
    best = BestWeights(network, average=2)
    offer(best, network, [4.0, 3.0, 5.0])
    again = BestWeights(network, average=2)
    again.load(best.to_config(), best.to_tensors())
    again.restore()
    assert (network.weight.item(), again.epoch, again.loss) == (1.5, 2, 3.0)
    fresh = BestWeights(network)
    fresh.load(BestWeights(network).to_config(), BestWeights(network).to_tensors())
    assert fresh.loss == math.inf


def test_average_of_weights() -> None:
    found = average_weights([{"w": torch.tensor([1.0, 2.0])}, {"w": torch.tensor([3.0, 6.0])}])
    assert found["w"].tolist() == [2.0, 4.0]
