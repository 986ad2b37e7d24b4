"""The presets of first values: bounds and moments from their definitions, not from our code."""

import math

import pytest
import torch

import recurra.nn

IN, H = 7, 12
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


@pytest.mark.parametrize("cell", ["", "Cell"])
@pytest.mark.parametrize("kind", GATES)
def test_keras_preset(kind: str, cell: str) -> None:
    """Keras 3: glorot_uniform on (I, G*H), orthogonal on (H, G*H), zeros, and unit_forget_bias for the LSTM."""
    gates = GATES[kind]
    layer = getattr(recurra.nn, kind + cell)(IN, H, initialization="keras", dtype=torch.float64)
    kernel, recurrent, bias_ih, bias_hh = layer.parameters()
    limit = math.sqrt(6 / (IN + gates * H))
    assert kernel.abs().max() <= limit
    assert kernel.abs().max() > 0.8 * limit
    torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(H, dtype=torch.float64))
    bias = (bias_ih + bias_hh).detach().view(gates, H)
    expected = torch.zeros(gates, H, dtype=torch.float64)
    if kind == "LSTM":
        expected[1] = 1.0  # i f g o
    assert torch.equal(bias, expected)


def test_keras_preset_of_a_projection_and_without_biases() -> None:
    layer = recurra.nn.LSTM(IN, H, proj_size=5, bias=False, initialization="keras")
    assert layer.weight_hr_l0.abs().max() <= math.sqrt(6 / (H + 5))
    assert not hasattr(layer, "bias_ih_l0")


@pytest.mark.parametrize("preset", ["torch", "keras"])
def test_forget_bias_is_the_sum_of_both_biases_of_the_forget_gate(preset: str) -> None:
    torch.manual_seed(0)
    plain = recurra.nn.LSTM(IN, H, 2, bidirectional=True, initialization=preset)
    torch.manual_seed(0)
    layer = recurra.nn.LSTM(IN, H, 2, bidirectional=True, initialization=preset, forget_bias=2.5)
    for name, value in layer.named_parameters():
        start = dict(plain.named_parameters())[name].detach().clone()
        if name.startswith("bias"):
            start[H : 2 * H] = 2.5 if name.startswith("bias_ih") else 0.0
        assert torch.equal(value, start), name
    cell = recurra.nn.LSTMCell(IN, H, forget_bias=-1.0)
    assert torch.equal((cell.bias_ih + cell.bias_hh)[H : 2 * H], torch.full((H,), -1.0))


def test_reset_parameters_follows_the_preset_again() -> None:
    layer = recurra.nn.LSTM(IN, H, initialization="keras")
    torch.manual_seed(4)
    layer.reset_parameters()
    first = layer.weight_hh_l0.detach().clone()
    torch.manual_seed(4)
    layer.reset_parameters()
    assert torch.equal(layer.weight_hh_l0, first)
    assert torch.equal(layer.bias_ih_l0[H : 2 * H], torch.ones(H))


def test_what_is_not_usual_is_shown() -> None:
    layer = recurra.nn.LSTM(IN, H, initialization="keras", forget_bias=2.0, backend="reference")
    assert repr(layer) == "LSTM(7, 12, initialization=keras, backend=reference, forget_bias=2.0)"
    assert repr(recurra.nn.LSTMCell(IN, H, bias=False)) == "LSTMCell(7, 12, bias=False)"
