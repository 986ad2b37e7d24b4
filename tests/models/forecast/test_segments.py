"""The network over segments: a fresh one says nothing of its own, and nothing is carried but inputs."""

import pytest
import torch

from recurra.models.forecast import ForecastShape, SegmentNetwork, zero_state_like


def build(cell="gru", n_future=0, **changes):
    sizes = {"cell": cell, "hidden_size": 6, "decoder": "segments", "lookback": 12, "segment": 3, **changes}
    return SegmentNetwork(ForecastShape(4, n_future, 7, (0.1, 0.5, 0.9), **sizes)).double().eval()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_a_fresh_network_says_nothing_of_its_own(cell, num_layers):
    network = build(cell, num_layers=num_layers)
    raw = network.raw(torch.randn(5, 4).double(), None, torch.randn(5, 12).double())
    torch.testing.assert_close(raw, torch.tensor(network.output.start).double().expand(5, 7, 3), rtol=1e-6, atol=1e-7)


def test_what_is_known_of_a_step_reaches_that_step_alone():
    network = build(n_future=2)
    for layer in (network.last, network.mix):
        torch.nn.init.normal_(layer.weight)
    h, window, future = torch.randn(1, 4).double(), torch.randn(1, 12).double(), torch.randn(1, 7, 2).double()
    changed = future.clone()
    changed[:, 4] += 1.0
    moved = (network.raw(h, future, window) != network.raw(h, changed, window)).any(-1)[0]
    assert moved.tolist() == [False] * 4 + [True] + [False] * 2


def test_the_latest_value_is_read_last():
    """By hand: the encoder's last segment holds the three latest values, oldest first."""
    network = build()
    seen = []
    network.embed.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    window = torch.arange(12.0).double()[None]
    network.raw(torch.zeros(1, 4).double(), None, window)
    assert seen[0][0].tolist() == [[11, 10, 9], [8, 7, 6], [5, 4, 3], [2, 1, 0]]


def test_states_are_the_inputs():
    network = build()
    x = torch.randn(2, 5, 4).double()
    output, last = network.states(x, None, torch.tensor([5, 3]))
    assert torch.equal(output, x)
    assert torch.equal(last, torch.stack([x[0, 4], x[1, 2]])[None])
    assert torch.equal(network.step(x[:, 1], last)[1], x[None, :, 1])
    assert zero_state_like(network, 3).shape == (1, 3, 4)
