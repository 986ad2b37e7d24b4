"""The market network begins as its path, learns gradients in every part, and steps as it runs."""

import pytest
import torch

from recurra.models.market import MarketNetwork, MarketShape, PathTensors, zero_state

FAMILIES = ("student_t", "normal", "mixture")


def made_path(*shape: int) -> PathTensors:
    generator = torch.Generator().manual_seed(1)
    level = torch.randn(*shape, generator=generator, dtype=torch.float64)
    ones = torch.ones_like(level)
    return PathTensors(level, 0.5 * ones, 0.1 * ones, 0.03 * ones, 1.3 * ones)


def made(family: str = "student_t", cell: str = "gru") -> MarketNetwork:
    shape = MarketShape(4, (1, 5), family, cell, hidden_size=3)  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return MarketNetwork(shape).double()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "none"])
def test_zero_weights_reproduce_the_path(family, cell):
    """A fresh network: E v = exp(p + κ), returns with mean m and variance q E v, whatever the inputs."""
    network, path = made(family, cell).eval(), made_path(2, 7, 2)
    x = torch.randn(2, 7, 4, dtype=torch.float64)
    h, _ = network.states(x)
    answer = network.answer(h, x, path)
    expected = (path.log_variance + path.smearing).exp()
    torch.testing.assert_close(answer.variance, expected)
    torch.testing.assert_close(answer.returns.variance, path.scale * expected)
    torch.testing.assert_close(answer.returns.mean, path.mean)
    torch.testing.assert_close(answer.log_variance.mean, path.log_variance)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_learns(family):
    network, path = made(family), made_path(2, 7, 2)
    assert network.state is not None
    torch.nn.init.normal_(network.state.weight)
    x = torch.randn(2, 7, 4, dtype=torch.float64)
    h, _ = network.states(x)
    answer = network.answer(h, x, path)
    y = torch.randn(2, 7, 2, dtype=torch.float64)
    (answer.returns.log_prob(y).sum() + answer.log_variance.log_prob(y).sum()).backward()
    for name, parameter in network.named_parameters():
        if parameter.numel():
            assert parameter.grad is not None, name
            assert float(parameter.grad.abs().sum()) > 0.0, name


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "none"])
def test_step_by_step_is_the_whole(cell):
    network = made(cell=cell).eval()
    x = torch.randn(2, 5, 4, dtype=torch.float64)
    whole, _ = network.states(x)
    state = zero_state(network, 2)
    for t in range(5):
        h, state = network.step(x[:, t], state)
        torch.testing.assert_close(h, whole[:, t])
