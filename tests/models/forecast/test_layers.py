"""Layers by name: their options, those that a forecast cannot have, and the state that they begin with."""

import pytest
import torch

from recurra.errors import ConfigError
from recurra.models.forecast import check_options
from recurra.models.forecast.layers import build_layer, first_state, layer_width


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("lstm", {"layer_norm": "ba", "zoneout": (0.1, 0.05)}),
        ("lstm", {"proj_size": 3, "peephole": True}),
        ("gru", {"reset_after": False, "recurrent_dropout": 0.2}),
        ("rnn", {"nonlinearity": "relu", "learned_state": True}),
        ("gru", {"initialization": "torch", "clip": 5.0}),
    ],
)
def test_options_reach_the_layer_and_the_first_state_is_its_own(cell, options):
    layer = build_layer(cell, 2, 4, num_layers=2, options=options).double().eval()
    for name, value in options.items():
        assert getattr(layer, name) == value
    x = torch.randn(3, 5, 2).double()
    if options.get("learned_state"):
        torch.nn.init.normal_(layer.state_h_l1)
    output, _ = layer(x)
    begun, _ = layer(x, first_state(layer, 3))
    assert output.shape[-1] == layer_width(4, options)
    torch.testing.assert_close(begun, output, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bidirectional": True}, "bidirectional would let the network read the future"),
        ({"reverse": True}, "reverse would let the network read the future"),
        ({"hidden_size": 3}, "hidden_size is set by the forecaster's own keywords"),
        ({"peepholes": True}, "see the keywords of recurra.nn.GRU"),
        ({"zoneout": 2.0}, "zoneout should be a number in range"),
    ],
)
def test_options_that_cannot_be_are_named(options, message):
    with pytest.raises(ConfigError, match=message):
        check_options("gru", options, 4)
