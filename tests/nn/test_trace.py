"""A trace against the layer itself, and its parts against the equations written out; torch.nn runs the layers."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

import recurra.nn
from recurra.errors import ConfigError, DtypeError, ShapeError
from recurra.nn import trace
from tests.tolerances import EXACT, OUTPUT_F32, SAME_FUNCTION_F64, assert_agrees

Pair = Callable[..., tuple[torch.nn.Module, torch.nn.Module]]
KINDS = ("RNN", "LSTM", "GRU")
NAMES = {"RNN": "ah", "LSTM": "ifgoch", "GRU": "rznh"}
IN, H, B, T = 3, 5, 4, 6
RAGGED = (6, 2, 0, 5)
OPTIONS = [
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu"}),
    ("RNN", {"nonlinearity": torch.sin}),
    ("LSTM", {}),
    ("LSTM", {"proj_size": 2}),
    ("GRU", {}),
    ("RNN", {"clip": 0.5, "zoneout": 0.2}),
    ("LSTM", {"layer_norm": "fastrnns", "zoneout": (0.1, 0.3), "learned_state": True}),
    ("LSTM", {"peephole": True, "coupling": "input", "layer_norm": "tflite", "cell_clip": 0.5}),
    ("GRU", {"reset_after": False, "gate_activation": "hard_sigmoid", "recurrent_dropout": 0.5}),
]


def as_hx(state: tuple[torch.Tensor, ...]) -> object:
    return state if len(state) > 1 else state[0]


def random_state(layer: torch.nn.Module, *rows: int) -> object:
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    return as_hx(tuple(torch.randn(count, *rows, width, dtype=torch.float64) for width in layer._state_widths))


@pytest.mark.parametrize("lengths", [None, RAGGED], ids=["full", "ragged"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no_bias"])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(("num_layers", "bidirectional"), [(1, False), (1, True), (3, True)])
@pytest.mark.parametrize(("kind", "options"), OPTIONS)
def test_output_and_state_are_the_layers(
    kind: str, options: dict[str, object], num_layers: int, bidirectional: bool, batch_first: bool, bias: bool, lengths
) -> None:
    torch.manual_seed(1)
    shared = {"bias": bias, "batch_first": batch_first, "bidirectional": bidirectional, "dtype": torch.float64}
    layer = getattr(recurra.nn, kind)(IN, H, num_layers, **shared, **options).eval()
    x = torch.randn((B, T, IN) if batch_first else (T, B, IN), dtype=torch.float64)
    hx = random_state(layer, B)
    for state in (None, hx):
        seen = trace(layer, x, state, lengths=lengths)
        assert_agrees((seen.output, seen.state), layer(x, state, lengths=lengths), SAME_FUNCTION_F64)
    ends = [f"_l{k}{way}" for k in range(num_layers) for way in (("", "_reverse") if bidirectional else ("",))]
    assert list(seen.parts) == [part + end for end in ends for part in NAMES[kind]]
    assert not any(part.requires_grad for part in seen.parts.values())
    top = torch.cat([seen[f"h{end}"] for end in ends if f"_l{num_layers - 1}" in end], -1)
    assert_agrees(torch.nan_to_num(top), seen.output, EXACT)
    valid = torch.arange(T)[:, None] < torch.tensor(lengths or (T,) * B)
    for part in seen.parts.values():
        assert torch.equal(part.isnan().any(-1), ~(valid.T if batch_first else valid))


def sigma(x: torch.Tensor) -> torch.Tensor:
    return 1 / (1 + torch.exp(-x))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_parts_are_those_of_the_equations(kind: str, reverse: bool) -> None:
    """Each step from the traced state before it, by the equations of docs/equations.md."""
    torch.manual_seed(2)
    layer = getattr(recurra.nn, kind)(IN, H, 2, bidirectional=True, dtype=torch.float64)
    x = torch.randn(T, B, IN, dtype=torch.float64)
    hx = random_state(layer, B)
    seen = trace(layer, x, hx)
    parts = seen.layer(1, reverse=reverse)
    below = torch.cat([seen["h_l0"], seen["h_l0_reverse"]], -1)
    end = "_l1_reverse" if reverse else "_l1"
    W, U, b, d = (getattr(layer, name + end) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    first = [part[3 if reverse else 2] for part in (hx if kind == "LSTM" else (hx,))]
    for t in range(T):
        s = t + 1 if reverse else t - 1
        h = parts["h"][s] if 0 <= s < T else first[0]
        at, to = below[t] @ W.T + b, h @ U.T + d
        if kind == "RNN":
            wanted = {"a": at + to, "h": torch.tanh(at + to)}
        elif kind == "LSTM":
            c = parts["c"][s] if 0 <= s < T else first[1]
            i, f, g, o = (at + to).chunk(4, -1)
            wanted = {"i": sigma(i), "f": sigma(f), "g": torch.tanh(g), "o": sigma(o)}
            wanted["c"] = sigma(f) * c + sigma(i) * torch.tanh(g)
            wanted["h"] = sigma(o) * torch.tanh(wanted["c"])
        else:
            (x_r, x_z, x_n), (h_r, h_z, h_n) = at.chunk(3, -1), to.chunk(3, -1)
            r, z = sigma(x_r + h_r), sigma(x_z + h_z)
            n = torch.tanh(x_n + r * h_n)
            wanted = {"r": r, "z": z, "n": n, "h": (1 - z) * n + z * h}
        assert set(wanted) == set(parts)
        for name, value in wanted.items():
            assert_agrees(parts[name][t], value.detach(), SAME_FUNCTION_F64, f"{name} at {t}")


def test_a_gru_with_its_reset_before_the_product() -> None:
    """n = tanh(W x + b_in + U (r * h) + b_hn), for a layer that says reset_after=False."""
    layer = recurra.nn.GRU(IN, H, dtype=torch.float64, reset_after=False)
    x, h = torch.randn(T, B, IN, dtype=torch.float64), torch.randn(1, B, H, dtype=torch.float64)
    seen = trace(layer, x, h)
    W, U, b, d = (part.detach() for part in layer.parameters())
    y = h[0]
    for t in range(T):
        r, z = sigma(x[t] @ W[: 2 * H].T + b[: 2 * H] + y @ U[: 2 * H].T + d[: 2 * H]).chunk(2, -1)
        n = torch.tanh(x[t] @ W[2 * H :].T + b[2 * H :] + (r * y) @ U[2 * H :].T + d[2 * H :])
        y = (1 - z) * n + z * y
        for name, value in (("r", r), ("z", z), ("n", n), ("h", y)):
            assert_agrees(seen[f"{name}_l0"][t], value, SAME_FUNCTION_F64, f"{name} at {t}")


def test_parts_with_options_are_those_of_the_equations() -> None:
    """A reversed LSTM with peepholes, tied gates, clips and zoneout, by the equations of docs/options.md."""
    options = {"peephole": True, "coupling": "input", "clip": 0.8, "cell_clip": 0.3, "zoneout": (0.1, 0.2)}
    layer = recurra.nn.LSTM(IN, H, reverse=True, dtype=torch.float64, **options)
    x = torch.randn(T, B, IN, dtype=torch.float64)
    h, c = (torch.randn(1, B, H, dtype=torch.float64) for _ in range(2))
    seen = trace(layer, x, (h, c))
    W, U, b, d, p = (part.detach() for part in layer.parameters())
    p_i, _, p_o = p.chunk(3)
    h, c = h[0], c[0]
    for t in reversed(range(T)):
        a_i, _, a_g, a_o = (x[t] @ W.T + b + h @ U.T + d).chunk(4, -1)
        i = sigma((a_i + p_i * c).clamp(-0.8, 0.8))
        g = torch.tanh(a_g.clamp(-0.8, 0.8))
        cell = ((1 - i) * c + i * g).clamp(-0.3, 0.3)
        o = sigma((a_o + p_o * cell).clamp(-0.8, 0.8))
        h, c = 0.1 * h + 0.9 * (o * torch.tanh(cell)), 0.2 * c + 0.8 * cell
        for name, value in {"i": i, "f": 1 - i, "g": g, "o": o, "c": c, "h": h}.items():
            assert_agrees(seen[f"{name}_l0"][t], value, SAME_FUNCTION_F64, f"{name} at {t}")


@pytest.mark.parametrize("kind", KINDS)
def test_without_rows_packed_and_without_steps(kind: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, 2, bidirectional=True, batch_first=True, dtype=torch.float64)
    x = torch.randn(B, T, IN, dtype=torch.float64)
    hx = random_state(layer)
    seen = trace(layer, x[0], hx, lengths=4)
    assert {part.shape for part in seen.parts.values()} == {(T, H)}
    assert_agrees((seen.output, seen.state), layer(x[0], hx, lengths=4), SAME_FUNCTION_F64)
    assert seen.arrays()["h_l0"].shape == (4, H)
    lengths = torch.tensor([2, 6, 1, 3])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    expected = trace(layer, x, lengths=lengths)
    found = trace(layer, packed)
    assert_agrees((found.output, found.state), (expected.output, expected.state), EXACT)
    empty = trace(layer, x[:, :0])
    assert {part.shape for part in empty.parts.values()} == {(B, 0, H)}
    assert empty.output.shape == (B, 0, 2 * H)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_flow_through_the_parts_if_asked_for(kind: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, 2, dtype=torch.float64)
    x = torch.randn(T, B, IN, dtype=torch.float64, requires_grad=True)
    seen = trace(layer, x, lengths=RAGGED, gradients=True)
    wanted = layer(x, lengths=RAGGED)[0]
    sources = [x, *layer.parameters()]
    assert_agrees(
        torch.autograd.grad(torch.nan_to_num(seen["h_l1"]).square().sum(), sources),
        torch.autograd.grad(wanted.square().sum(), sources),
        SAME_FUNCTION_F64,
    )


def test_padding_may_hold_anything_and_dropout_is_off() -> None:
    layer = recurra.nn.LSTM(IN, H, 2, dropout=0.5, dtype=torch.float64)
    assert layer.training
    x = torch.randn(T, B, IN, dtype=torch.float64)
    valid = torch.arange(T)[:, None] < torch.tensor(RAGGED)
    seen = trace(layer, torch.where(valid[..., None], x, torch.nan), lengths=RAGGED)
    assert_agrees(seen.output, layer.eval()(x, lengths=RAGGED)[0], SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_and_autocast(kind: str) -> None:
    """Under autocast the parts are in the parameters' type, as precise as without."""
    layer = getattr(recurra.nn, kind)(IN, H, 2)
    x = torch.randn(T, B, IN)
    seen = trace(layer, x)
    assert_agrees(seen.output, layer(x)[0].detach(), OUTPUT_F32)
    with torch.autocast("cpu", torch.bfloat16):
        assert_agrees(trace(layer, x).parts["h_l1"], seen["h_l1"], EXACT)


def test_arrays_are_the_valid_steps_of_one_row() -> None:
    for batch_first in (True, False):
        layer = recurra.nn.GRU(IN, H, batch_first=batch_first)
        x = torch.randn((B, T, IN) if batch_first else (T, B, IN))
        seen = trace(layer, x, lengths=RAGGED)
        arrays = seen.arrays(row=3)
        assert list(arrays) == ["r_l0", "z_l0", "n_l0", "h_l0"]
        assert all(array.shape == (5, H) and isinstance(array, np.ndarray) for array in arrays.values())
        wanted = seen.output[3, :5] if batch_first else seen.output[:5, 3]
        np.testing.assert_array_equal(arrays["h_l0"], wanted.numpy())
        assert seen.arrays(-2)["r_l0"].shape == (0, H)
        with pytest.raises(ConfigError, match=r"row should lie in 0..3, got: 4"):
            seen.arrays(4)
    half = recurra.nn.GRU(IN, H, dtype=torch.bfloat16)
    assert trace(half, torch.randn(T, B, IN).bfloat16()).arrays()["h_l0"].dtype == np.float32


def test_a_trace_shows_itself_and_its_layers() -> None:
    seen = trace(recurra.nn.RNN(IN, H, 2), torch.zeros(T, B, IN))
    assert repr(seen) == "Trace(a_l0 [6, 4, 5], h_l0 [6, 4, 5], a_l1 [6, 4, 5], h_l1 [6, 4, 5])"
    assert seen.layer(1)["h"] is seen["h_l1"]
    with pytest.raises(ConfigError, match="no layer 2"):
        seen.layer(2)
    with pytest.raises(ConfigError, match="no layer 0 in reverse"):
        seen.layer(0, reverse=True)


def test_what_cannot_be_traced_is_refused() -> None:
    layer = recurra.nn.GRU(IN, H)
    x = torch.zeros(T, B, IN)
    with pytest.raises(ConfigError, match=r"of recurra\.nn, got: GRU"):
        trace(torch.nn.GRU(IN, H), x)
    with pytest.raises(ShapeError, match="input_size"):
        trace(layer, x[..., :2])
    with pytest.raises(DtypeError, match="does not match weight dtype"):
        trace(layer, x.double())
    with pytest.raises(ShapeError, match="got 7 for row 0"):
        trace(layer, x, lengths=[7, 1, 1, 1])
    with pytest.raises(ShapeError, match="Expected hidden"):
        trace(layer, x, torch.zeros(1, 1, H))
    packed = pack_padded_sequence(x, torch.tensor([6, 5, 4, 3]))
    with pytest.raises(ConfigError, match="either lengths= or a PackedSequence"):
        trace(layer, packed, lengths=RAGGED)
