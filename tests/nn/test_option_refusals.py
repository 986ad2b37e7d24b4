"""Options that make no sense, alone or together, are refused by name; so is a call that an option forbids."""

from typing import Any

import numpy as np
import pytest
import torch

import recurra.nn
from recurra.errors import ConfigError, ShapeError, StreamingUnsupported
from tests.nn.drawn_options import IN, H

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("RNN", {"clip": 0.0}, "clip should be a finite number above zero, got: 0.0"),
    ("RNN", {"clip": "1"}, "clip should be a finite number"),
    ("GRU", {"gate_activation": "swish"}, "Unknown gate_activation 'swish'"),
    ("GRU", {"candidate_activation": 3}, "candidate_activation should be a name or a callable, got: int"),
    ("LSTM", {"output_activation": "swish"}, "Unknown output_activation"),
    ("LSTM", {"cell_clip": -1.0}, "cell_clip should be"),
    ("LSTM", {"coupling": "both"}, "coupling should be one of None, 'input', 'forget', got: 'both'"),
    ("LSTM", {"coupling": "input", "forget_bias": 1.0}, "forget_bias does not go with coupling='input'"),
    ("LSTM", {"layer_norm": True}, "layer_norm should be one of"),
    ("LSTM", {"layer_norm_eps": 1e-8}, "layer_norm_eps needs layer_norm"),
    ("LSTM", {"layer_norm": "ba", "layer_norm_eps": 0.0}, "layer_norm_eps should be"),
    ("LSTM", {"layer_norm": "ba", "peephole": True}, "peephole=True does not go with layer_norm='ba'"),
    (
        "LSTM",
        {"layer_norm": "fastrnns", "coupling": "input"},
        "coupling='input' does not go with",
    ),
    ("LSTM", {"zoneout": (0.1, 0.2, 0.3)}, "zoneout of this recurrence should be one number, or two for h and c"),
    ("GRU", {"zoneout": (0.1, 0.2)}, "zoneout of this recurrence should be one number"),
    ("GRU", {"zoneout": 1.5}, r"zoneout should be a number in range \[0, 1\]"),
    ("RNN", {"learned_state": 1}, "learned_state should be of type bool"),
    ("LSTM", {"peephole": "yes"}, "peephole should be of type bool"),
]
WRONG_LAYERS: list[tuple[str, dict[str, Any], str]] = [
    ("LSTM", {"projection_clip": 1.0}, "projection_clip needs a projection: give proj_size"),
    ("GRU", {"recurrent_dropout": 1.0}, r"recurrent_dropout should be a number in range \[0, 1\)"),
    ("RNN", {"reverse": True, "bidirectional": True}, "reverse=True does not go with bidirectional=True"),
    ("RNN", {"reverse": 1}, "reverse should be of type bool"),
]


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [*WRONG, *((f"{kind}Cell", *rest) for kind, *rest in WRONG), *WRONG_LAYERS],
)
def test_wrong_options_are_refused_by_name(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, TypeError), match=message):
        getattr(recurra.nn, kind)(IN, H, **options)


def test_numbers_of_numpy_are_numbers() -> None:
    hard = recurra.nn.Activation("hard_sigmoid", alpha=np.float32(0.25))
    layer = recurra.nn.LSTM(IN, H, clip=np.float32(0.5), zoneout=(np.float32(0.25), 0), gate_activation=hard)
    same = recurra.nn.LSTM(
        IN, H, clip=0.5, zoneout=(0.25, 0.0), gate_activation=recurra.nn.Activation("hard_sigmoid", 0.25)
    )
    assert layer._options == same._options


def test_options_are_fixed_when_a_layer_is_built() -> None:
    for module in (recurra.nn.LSTM(IN, H), recurra.nn.LSTMCell(IN, H)):
        with pytest.raises(ConfigError, match="peephole is fixed"):
            module.peephole = True


def test_a_layer_in_reverse_and_a_mask_of_a_sequence_do_not_go_step_by_step() -> None:
    layer = recurra.nn.GRU(IN, H, reverse=True)
    for build in (lambda: layer.step(torch.zeros(IN)), lambda: recurra.nn.Stepper(layer)):
        with pytest.raises(StreamingUnsupported, match="runs in reverse"):
            build()
    with pytest.raises(StreamingUnsupported, match="runs in reverse"):
        recurra.nn.TruncatedBPTT(layer, torch.nn.functional.mse_loss, window=2)
    with pytest.raises(StreamingUnsupported, match="recurrent_dropout"):
        recurra.nn.GRU(IN, H, recurrent_dropout=0.1).step(torch.zeros(IN))


def test_a_callable_that_changes_the_shape_is_refused() -> None:
    layer = recurra.nn.GRU(IN, H, gate_activation=lambda a: a.sum(-1))
    with pytest.raises(ShapeError, match="must keep its input's shape"):
        layer(torch.zeros(2, 1, IN))
