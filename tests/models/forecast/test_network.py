"""The forecasting network: one observation at a time equals the whole sequence, and states are picked by row."""

import pytest
import torch

from recurra.models.forecast import ForecastNetwork, ForecastShape, join_states, select_state, zero_state_like


def build(cell, num_layers=2, n_future=0):
    shape = ForecastShape(3, n_future, 4, (0.1, 0.5, 0.9), cell, 5, num_layers, 0.2)
    return ForecastNetwork(shape).double().eval()


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_steps_equal_the_sequence(cell, num_layers):
    network, x = build(cell, num_layers), torch.randn(2, 9, 3, dtype=torch.float64)
    output, last = network.states(x)
    state = zero_state_like(network, 2)
    for t in range(9):
        h, state = network.step(x[:, t], state)
        torch.testing.assert_close(h, output[:, t], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(state, last, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_states_are_selected_and_joined_by_row(cell):
    network = build(cell)
    _, state = network.states(torch.randn(3, 4, 3, dtype=torch.float64))
    parts = [select_state(state, [i]) for i in range(3)]
    torch.testing.assert_close(join_states(parts), state, rtol=0, atol=0)


def test_a_forecast_for_every_origin_and_step():
    network = build("gru", n_future=2)
    h, future = torch.randn(2, 7, 5).double(), torch.randn(2, 7, 4, 2).double()
    quantiles = network.quantiles(h, future)
    assert quantiles.shape == (2, 7, 4, 3)
    assert (quantiles.diff(dim=-1) > 0).all()


def test_dropout_between_layers_only_where_there_are_two():
    assert build("gru", 1).recurrent.dropout == 0.0
    assert build("gru", 2).recurrent.dropout == 0.2
