"""The network over windows is silent before training, and reads the steps in their order."""

import pytest
import torch

from recurra.models.regression import WindowNetwork, WindowShape


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_it_begins_with_no_correction(cell: str) -> None:
    network = WindowNetwork(WindowShape(2, 3, cell=cell, num_layers=2))
    assert network(torch.randn(4, 5, 2)).eq(0).all()


def test_the_correction_is_made_from_the_last_step() -> None:
    # expected: torch.nn's layer with the same weights
    torch.manual_seed(0)
    network = WindowNetwork(WindowShape(2, 1, cell="lstm", hidden_size=3)).double()
    torch.nn.init.ones_(network.head.weight)
    theirs = torch.nn.LSTM(2, 3, batch_first=True, dtype=torch.float64)
    theirs.load_state_dict(network.recurrent.state_dict())
    x = torch.randn(4, 5, 2, dtype=torch.float64)
    torch.testing.assert_close(network(x)[:, 0], theirs(x)[0][:, -1].sum(-1))
    network.silence()
    assert network(x).eq(0).all()
