"""Constructor arguments that do not make a layer are refused in torch.nn's words and error types."""

import pytest
import torch

import recurra.nn

KINDS = ("RNN", "LSTM", "GRU")
IN, H = 3, 5


WRONG = [
    ({"hidden_size": 0}, ValueError, "hidden_size must be greater than zero"),
    ({"input_size": -1}, ValueError, "input_size must be greater than zero"),
    ({"input_size": 3.0}, TypeError, "input_size should be of type int, got: float"),
    ({"num_layers": 0}, ValueError, "num_layers must be greater than zero"),
    ({"hidden_size": True}, TypeError, "hidden_size should be of type int, got: bool"),
    ({"num_layers": True}, TypeError, "num_layers should be of type int, got: bool"),
    ({"num_layers": 1.5}, TypeError, "num_layers should be of type int"),
    ({"bias": 1}, TypeError, "bias should be of type bool, got: int"),
    ({"bidirectional": "no"}, TypeError, "bidirectional should be of type bool, got: str"),
    ({"bidirectional": 1, "reverse": True}, TypeError, "bidirectional should be of type bool, got: int"),
    ({"batch_first": "False"}, TypeError, "batch_first should be of type bool, got: str"),
    ({"dropout": 1.5}, ValueError, "dropout should be a number in range"),
    ({"dropout": True}, ValueError, "dropout should be a number in range"),
    ({"dropout": "0.5"}, ValueError, "dropout should be a number in range"),
    ({"backend": "cuda"}, ValueError, "backend should be 'auto', 'native', 'torch' or 'reference'"),
    ({"initialization": "glorot"}, ValueError, "initialization should be one of torch, keras"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), WRONG)
@pytest.mark.parametrize("kind", KINDS)
def test_wrong_constructor_arguments_are_refused(
    kind: str, wrong: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        getattr(recurra.nn, kind)(**({"input_size": IN, "hidden_size": H} | wrong))
    assert isinstance(caught.value, recurra.errors.InputError)


def test_dropout_in_a_single_layer_warns_as_torch_nn_does() -> None:
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        recurra.nn.GRU(IN, H, dropout=0.1)


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
def test_wrong_sizes_of_a_cell_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="hidden_size must be greater than zero"):
        getattr(recurra.nn, kind)(IN, 0)
    with pytest.raises(TypeError, match="input_size should be of type int, got: str"):
        getattr(recurra.nn, kind)("3", H)
    with pytest.raises(ValueError, match="backend should be"):
        getattr(recurra.nn, kind)(IN, H, backend="fast")


def test_a_forget_bias_needs_biases_and_a_number() -> None:
    with pytest.raises(recurra.errors.ConfigError, match="forget_bias needs bias=True"):
        recurra.nn.LSTM(IN, H, bias=False, forget_bias=1.0)
    for wrong in (float("nan"), "1", True):
        with pytest.raises(recurra.errors.ConfigError, match="forget_bias should be a finite number"):
            recurra.nn.LSTMCell(IN, H, forget_bias=wrong)


@pytest.mark.parametrize("kind", ["RNN", "RNNCell"])
def test_an_unknown_nonlinearity_is_refused_with_the_known_ones(kind: str) -> None:
    before = torch.random.get_rng_state()
    with pytest.raises(ValueError, match=r"Unknown nonlinearity 'swish'\. Select from tanh, relu, sigmoid"):
        getattr(recurra.nn, kind)(IN, H, nonlinearity="swish")
    with pytest.raises(ValueError, match="a name or a callable, got: int"):
        getattr(recurra.nn, kind)(IN, H, nonlinearity=3)
    assert torch.equal(torch.random.get_rng_state(), before), "a refused layer drew random numbers"


def test_only_an_lstm_has_a_projection() -> None:
    with pytest.raises(ValueError, match="smaller than hidden_size"):
        recurra.nn.LSTM(IN, H, proj_size=H)
    with pytest.raises(ValueError, match="positive integer or zero"):
        recurra.nn.LSTM(IN, H, proj_size=-1)
    with pytest.raises(TypeError):
        recurra.nn.GRU(IN, H, proj_size=2)
