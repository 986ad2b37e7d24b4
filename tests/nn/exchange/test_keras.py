"""Weights to and from Keras: round trips exact, values those of Keras' equations written out in NumPy."""

import numpy as np
import pytest
import torch

import recurra.nn
from recurra.errors import ConfigError, DtypeError, ShapeError
from recurra.nn.exchange import from_keras, to_keras
from tests.tolerances import EXACT, SAME_FUNCTION_F64, assert_agrees

I, H, B, T = 3, 5, 4, 6  # noqa: E741  the equations' own symbols
GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
VARIANTS = [("SimpleRNN", None), ("LSTM", None), ("GRU", True), ("GRU", False)]


def draw(rng: np.random.Generator, kind: str, reset_after: bool | None, bias: bool = True, inputs: int = I) -> list:
    columns = GATES[kind] * H
    shapes = [(inputs, columns), (H, columns)]
    if bias:
        shapes.append((2, columns) if reset_after else (columns,))
    return [rng.standard_normal(shape) for shape in shapes]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def keras_step(kind: str, reset_after: bool | None, arrays: list, x: np.ndarray, state: list) -> list:
    """One step as Keras' documentation and cells define it: kernels on the right, gates i f c o and z r h."""
    kernel, recurrent, bias = arrays
    h = state[0]
    if kind == "SimpleRNN":
        return [np.tanh(x @ kernel + h @ recurrent + bias)]
    if kind == "LSTM":
        i, f, c, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
        cell = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(c)
        return [sigmoid(o) * np.tanh(cell), cell]
    if reset_after:
        x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3, axis=-1)
        h_z, h_r, h_h = np.split(h @ recurrent + bias[1], 3, axis=-1)
        z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
        candidate = np.tanh(x_h + r * h_h)
    else:
        x_z, x_r, x_h = np.split(x @ kernel + bias, 3, axis=-1)
        u_z, u_r, u_h = np.split(recurrent, 3, axis=-1)
        z, r = sigmoid(x_z + h @ u_z), sigmoid(x_r + h @ u_r)
        candidate = np.tanh(x_h + (r * h) @ u_h)
    return [z * h + (1 - z) * candidate]


def keras_run(kind: str, reset_after: bool | None, arrays: list, x: np.ndarray) -> tuple[np.ndarray, list]:
    state = [np.zeros((len(x), H)) for _ in range(2 if kind == "LSTM" else 1)]
    outputs = []
    for t in range(x.shape[1]):
        state = keras_step(kind, reset_after, arrays, x[:, t], state)
        outputs.append(state[0])
    return np.stack(outputs, 1), state


def run(layer: torch.nn.Module, x: np.ndarray) -> tuple[torch.Tensor, list[torch.Tensor]]:
    with torch.no_grad():
        y, state = layer(torch.from_numpy(x))
    return y, list(state) if isinstance(state, tuple) else [state]


@pytest.mark.parametrize(("kind", "reset_after"), VARIANTS)
def test_values_are_those_of_keras_equations(kind: str, reset_after: bool | None, rng: np.random.Generator) -> None:
    """The expected numbers are `keras_run`'s, in float64."""
    arrays, x = draw(rng, kind, reset_after), rng.standard_normal((B, T, I))
    expected, last = keras_run(kind, reset_after, arrays, x)
    y, state = run(from_keras(kind, arrays), x)
    assert_agrees(y, torch.from_numpy(expected), SAME_FUNCTION_F64)
    assert_agrees([part[0] for part in state], [torch.from_numpy(part) for part in last], SAME_FUNCTION_F64)


@pytest.mark.parametrize(("kind", "reset_after"), VARIANTS)
def test_two_layers_in_both_directions(kind: str, reset_after: bool | None, rng: np.random.Generator) -> None:
    """Keras' Bidirectional runs its backward layer on reversed time and turns its outputs round again."""
    lists = [draw(rng, kind, reset_after, inputs=inputs) for inputs in (I, I, 2 * H, 2 * H)]
    x = expected = rng.standard_normal((B, T, I))
    for forward, backward in (lists[:2], lists[2:]):
        ahead, _ = keras_run(kind, reset_after, forward, expected)
        back, _ = keras_run(kind, reset_after, backward, expected[:, ::-1])
        expected = np.concatenate([ahead, back[:, ::-1]], -1)
    layer = from_keras(kind, lists, bidirectional=True)
    assert (layer.num_layers, layer.bidirectional, layer.batch_first) == (2, True, True)
    assert_agrees(run(layer, x)[0], torch.from_numpy(expected), SAME_FUNCTION_F64)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("kind", "reset_after"), VARIANTS)
def test_arrays_come_back_as_they_went(
    kind: str, reset_after: bool | None, bias: bool, rng: np.random.Generator
) -> None:
    lists = [[part.astype(np.float32) for part in draw(rng, kind, reset_after, bias)] for _ in range(2)]
    back = to_keras(from_keras(kind, lists, bidirectional=True, reset_after=reset_after))
    assert [len(each) for each in back] == [3 if bias else 2] * 2
    for given, found in zip(lists, back, strict=True):
        for a, b in zip(given, found, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("kind", "layer"),
    [
        ("SimpleRNN", recurra.nn.RNN(I, H, 2, bidirectional=True)),
        ("LSTM", recurra.nn.LSTM(I, H, 2, bidirectional=True)),
        ("GRU", recurra.nn.GRU(I, H, 2, bidirectional=True)),
        ("GRU", recurra.nn.GRU(I, H, 2, bidirectional=True, reset_after=False)),
    ],
)
def test_a_layer_comes_back_as_the_same_function(kind: str, layer: torch.nn.Module, rng: np.random.Generator) -> None:
    """Where Keras has one bias, ours come back added up: the function is the same, and so are the weights."""
    layer = layer.double()
    back = from_keras(kind, to_keras(layer), bidirectional=True, batch_first=False)
    x = rng.standard_normal((T, B, I))
    assert_agrees(run(back, x), run(layer, x), SAME_FUNCTION_F64)
    for name, parameter in layer.named_parameters():
        if name.startswith("weight"):
            assert_agrees(dict(back.named_parameters())[name], parameter, EXACT, name)


def test_the_layer_is_a_copy_that_can_be_trained(rng: np.random.Generator) -> None:
    arrays = draw(rng, "LSTM", None)
    layer = from_keras("LSTM", arrays)
    before = layer.weight_ih_l0.detach().clone()
    for part in arrays:
        part[...] = 0.0
    assert_agrees(layer.weight_ih_l0.detach(), before, EXACT)
    layer(torch.zeros(1, 2, I, dtype=torch.float64))[0].sum().backward()
    assert layer.bias_ih_l0.grad is not None


def test_no_random_number_is_drawn(rng: np.random.Generator) -> None:
    before = torch.get_rng_state()
    from_keras("GRU", draw(rng, "GRU", True))
    assert_agrees(torch.get_rng_state(), before, EXACT)


def test_activations_by_keras_name(rng: np.random.Generator) -> None:
    arrays, x = draw(rng, "SimpleRNN", None), rng.standard_normal((B, 1, I))
    y, _ = run(from_keras("SimpleRNN", arrays, activation="linear"), x)
    assert_agrees(y[:, 0], torch.from_numpy(x[:, 0] @ arrays[0] + arrays[2]), SAME_FUNCTION_F64)


@pytest.mark.parametrize(
    ("kind", "shapes", "options", "error", "message"),
    [
        ("Dense", [(I, H), (H, H)], {}, ConfigError, "SimpleRNN, LSTM, GRU"),
        ("LSTM", [(I, 4 * H)], {}, ConfigError, "got 1 arrays"),
        ("LSTM", [(I, 4 * H), (H, 4 * H), (2, 4 * H)], {}, ShapeError, "bias of Keras' LSTM"),
        ("GRU", [(I, 3 * H), (H, 3 * H), (3, 3 * H)], {}, ShapeError, "bias of Keras' GRU"),
        ("LSTM", [(I, 4 * H + 1), (H, 4 * H)], {}, ShapeError, "kernel of Keras' LSTM"),
        ("LSTM", [(I, 4 * H), (H + 1, 4 * H)], {}, ShapeError, "weight_"),
        ("GRU", [(I, 3 * H), (H, 3 * H)], {}, ConfigError, "say reset_after"),
        ("GRU", [(I, 3 * H), (H, 3 * H), (3 * H,)], {"reset_after": True}, ConfigError, "reset_after=False"),
        ("LSTM", [(I, 4 * H), (H, 4 * H)], {"reset_after": True}, ConfigError, "no reset_after"),
        ("LSTM", [(I, 4 * H), (H, 4 * H)], {"activation": "gelu"}, ConfigError, "gelu"),
        ("LSTM", [(I, 4 * H), (H, 4 * H)], {"recurrent_dropout": 0.1}, ConfigError, "another mask for each gate"),
        ("LSTM", [(I, 4 * H), (H, 4 * H)], {"zoneout": 2}, ConfigError, "zoneout"),
        ("SimpleRNN", [(I, H), (H, H)], {"recurrent_activation": "relu"}, ConfigError, "no recurrent_activation"),
        ("LSTM", [(I, 4 * H), (H, 4 * H)], {"bidirectional": True}, ConfigError, "direction"),
        ("SimpleRNN", [(I, H), (H, H)], {"activation": "exponential"}, ConfigError, "exponential"),
    ],
)
def test_what_does_not_fit_is_refused(
    kind: str, shapes: list, options: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        from_keras(kind, [np.zeros(shape) for shape in shapes], **options)


def test_whole_numbers_are_no_weights() -> None:
    with pytest.raises(DtypeError, match="int64"):
        from_keras("SimpleRNN", [np.zeros((I, H), np.int64), np.zeros((H, H), np.int64)])


def test_what_keras_has_not_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="proj_size=2"):
        to_keras(recurra.nn.LSTM(I, H, proj_size=2))
    for options, message in (
        ({"peephole": True}, "peephole=True"),
        ({"clip": 1.0}, "clip=1.0"),
        ({"zoneout": 0.1}, "zoneout=0.1"),
        ({"recurrent_dropout": 0.1}, "another mask for each gate; it cannot express recurrent_dropout=0.1"),
        ({"output_activation": "relu"}, "cannot express cell_activation beside output_activation"),
        ({"learned_state": True}, "learned_state=True"),
    ):
        with pytest.raises(ConfigError, match=message):
            to_keras(recurra.nn.LSTM(I, H, **options))
    named = recurra.nn.LSTM(I, H, cell_activation="relu", output_activation=torch.relu, reverse=True)
    assert len(to_keras(named)) == 1
    assert len(to_keras(recurra.nn.RNN(I, H, recurrent_dropout=0.1))) == 1
    with pytest.raises(ConfigError, match="Linear"):
        to_keras(torch.nn.Linear(I, H))
    with pytest.raises(DtypeError, match="bfloat16"):
        to_keras(recurra.nn.GRU(I, H, dtype=torch.bfloat16))
