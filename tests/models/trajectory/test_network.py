"""The trajectory network: zero weights are constant velocity, decoding is one path an origin, sizes."""

import pytest
import torch

from recurra.models.trajectory import TrajectoryNetwork, TrajectoryShape


def network(**changes: object) -> TrajectoryNetwork:
    torch.manual_seed(0)
    shape = TrajectoryShape(**{"n_inputs": 8, "horizon": 5, "hidden_size": 6, **changes})  # type: ignore[arg-type]
    return TrajectoryNetwork(shape).eval()


@pytest.mark.parametrize("components", [0, 1, 4])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("lags", [0, 3])
def test_zero_weights_correct_nothing(components: int, cell: str, lags: int) -> None:
    """With every weight at zero all means are exactly zero, and every component has the spread of constant velocity."""
    model = network(components=components, cell=cell, lags=lags)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    model.spread.copy_(torch.rand(5, 2) + 0.5)
    x = torch.randn(3, 4, 8)
    h, _ = model.states(x)
    output = model.paths(h[:, -1], x[:, -1], torch.randn(3, 8 * lags) if lags else None)
    assert torch.equal(output.means, torch.zeros_like(output.means))
    assert torch.equal(output.mean(), torch.zeros(3, 5, 2))
    if components:
        assert output.factors is not None
        assert torch.equal(output.factors[..., 0], model.spread[:, 0, None].expand(3, 5, components))
        assert torch.equal(output.factors[..., 1], torch.zeros(3, 5, components))
        assert torch.equal(output.factors[..., 2], model.spread[:, 1, None].expand(3, 5, components))


def test_a_fresh_network_is_near_constant_velocity_and_its_components_are_apart() -> None:
    model = network(components=4)
    x = torch.randn(2, 4, 8)
    h, _ = model.states(x)
    means = model.paths(h[:, -1], x[:, -1]).means
    assert means.abs().max() < 5.0
    assert (means[:, :, 0] - means[:, :, 1]).abs().min() > 0.0


def test_without_its_gain_the_middle_path_is_that_of_the_linear_map_alone() -> None:
    """Expected: the linear map's numbers summed up over the steps."""
    model = network(lags=2)
    assert model.linear is not None
    torch.nn.init.normal_(model.linear.weight)
    model.gain.zero_()
    x, lagged = torch.randn(2, 4, 8), torch.randn(2, 16)
    h, _ = model.states(x)
    expected = model.linear(lagged).unflatten(-1, (5, 2)).cumsum(1)
    assert torch.allclose(model.paths(h[:, -1], x[:, -1], lagged).mean(), expected)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_steps_carry_what_a_whole_sequence_computes(cell: str) -> None:
    model = network(cell=cell, num_layers=2)
    x = torch.randn(3, 6, 8)
    whole, _ = model.states(x)
    state = None
    for t in range(6):
        h, state = model.step(x[:, t], state)
        assert torch.allclose(h, whole[:, t], atol=1e-6)
