"""A learned state to ONNX and back, and other options that leave an operator as it is."""

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

import recurra.nn
from recurra.errors import ConfigError
from recurra.nn.exchange import from_onnx, to_keras, to_onnx
from tests.nn.exchange.test_onnx import H, I, kinds, make
from tests.tolerances import EXACT, assert_agrees


@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("bidirectional", [False, True])
@kinds
def test_a_learned_state_goes_out_and_comes_back(kind: str, bidirectional: bool, layout: int) -> None:
    """The model expands it to as many rows as a call has; the layer begins with it."""
    layer = make(kind, 2, bidirectional=bidirectional, learned_state=True)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    back = from_onnx(to_onnx(layer, layout=layout))
    assert back.learned_state
    assert list(back.state_dict()) == list(layer.state_dict())
    assert_agrees(list(back.state_dict().values()), list(layer.state_dict().values()), EXACT)
    assert not from_onnx(to_onnx(make(kind, learned_state=True))).learned_state  # it begins as zeros, like any other
    assert not from_onnx(to_onnx(layer, state=True)).learned_state  # what a call brings


def test_a_learned_state_of_the_second_layer_alone_and_rows_of_their_own() -> None:
    layer = recurra.nn.LSTM(I, H, 2, learned_state=True)
    with torch.no_grad():
        layer.state_c_l1.fill_(0.5)
    made = to_onnx(layer)
    back = from_onnx(made)
    assert_agrees(list(back.state_dict().values()), list(layer.state_dict().values()), EXACT)
    for tensor in made.graph.initializer:
        if tensor.name == "first_1":
            apart = np.concatenate([numpy_helper.to_array(tensor), np.ones((2, 1, H), np.float32)], 1)
            tensor.CopyFrom(numpy_helper.from_array(apart, "first_1"))
    with pytest.raises(ConfigError, match="LSTM_l0: the rows of initial_c begin in states of their own"):
        from_onnx(made)


def test_whole_numbers_and_shares_of_nothing_are_written() -> None:
    layer = recurra.nn.LSTM(I, H, clip=2, zoneout=(0, 0))
    assert from_onnx(to_onnx(layer)).clip == 2.0
    assert len(to_keras(recurra.nn.LSTM(I, H, zoneout=(0, 0)))) == 1


def with_a_state_of(operator: str, source: str) -> onnx.ModelProto:
    """A layer's model whose initial_h is what an operator of a domain of one's own makes of a value."""
    made = to_onnx(make("GRU", learned_state=True))
    node = next(node for node in made.graph.node if node.op_type == "GRU")
    own = onnx.helper.make_node(operator, [node.input[5] if source == "state" else source], ["made"], domain="own")
    at = list(made.graph.node).index(node)
    node.input[5] = "made"
    made.graph.node.insert(at, own)
    made.opset_import.append(onnx.helper.make_opsetid("own", 1))
    return made


def test_a_state_that_cannot_be_run_is_refused_if_it_is_made_of_sizes_alone() -> None:
    """One that reads the numbers of a call is what the call brings, whatever operator makes it."""
    with pytest.raises(ConfigError, match="the state made, which the model makes of sizes alone, cannot be run"):
        from_onnx(with_a_state_of("Unknown", "state"))
    assert not from_onnx(with_a_state_of("Unknown", "x")).learned_state
