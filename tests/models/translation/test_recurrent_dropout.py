"""Dropout on recurrent states: one call of the kernel computes what the equations with a mask at each step say."""

import pytest
import torch

from recurra.models.translation.recurrent_dropout import RecurrentDropout
from recurra.nn import GRU, LSTM, RNN


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_the_state_is_masked_on_its_way_to_the_next_step(kind: type[RNN] | type[LSTM] | type[GRU]) -> None:
    """Expected: PyTorch's RNN cell, step by step, with m * h / (1 - p) in the place of h within the product.

    For an RNN that is all there is to h; LSTM and GRU are held to their own weights masked by hand.
    """
    torch.manual_seed(0)
    layer = kind(3, 5, batch_first=True)
    dropped = RecurrentDropout(0.4).train()
    x = torch.randn(2, 4, 3)
    torch.manual_seed(7)
    found, _ = dropped(layer, x)
    torch.manual_seed(7)
    mask = torch.empty(5).bernoulli_(0.6) / 0.6
    assert 0 < int((mask == 0).sum()) < 5
    if kind is RNN:
        h = torch.zeros(2, 5)
        for t in range(4):
            product = x[:, t] @ layer.weight_ih_l0.T + layer.bias_ih_l0
            h = torch.tanh(product + (mask * h) @ layer.weight_hh_l0.T + layer.bias_hh_l0)
            torch.testing.assert_close(found[:, t], h)
        return
    with torch.no_grad():
        layer.weight_hh_l0 *= mask
    torch.testing.assert_close(found, layer(x)[0])


def test_gradients_reach_the_weights_through_the_mask() -> None:
    torch.manual_seed(0)
    layer = LSTM(3, 5, batch_first=True)
    found, _ = RecurrentDropout(0.5).train()(layer, torch.randn(2, 4, 3))
    found.sum().backward()
    moved = layer.weight_hh_l0.grad
    assert moved is not None
    columns = moved.abs().sum(0) > 0
    assert 0 < int(columns.sum()) < 5  # a column that was dropped has no gradient


def test_nothing_is_dropped_in_evaluation_or_without_a_share() -> None:
    layer, x = GRU(3, 5), torch.randn(4, 2, 3)
    expected, _ = layer(x)
    for dropout in (RecurrentDropout(0.5).eval(), RecurrentDropout(0.0).train()):
        torch.testing.assert_close(dropout(layer, x)[0], expected)
