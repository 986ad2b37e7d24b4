"""A layer's backend by name and explained; one observation at a time; torch.nn or the whole sequence is the oracle."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

import recurra.nn
from recurra.kernels import native_is_built
from tests.tolerances import SAME_FUNCTION_F64, assert_agrees

KINDS = ("RNN", "LSTM", "GRU")
IN, H, B, T = 3, 5, 4, 6
RAGGED = (6, 2, 5, 1)


def test_a_backend_asked_for_by_name_serves_or_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(T, B, IN)
    with monkeypatch.context() as patch:
        patch.setattr("recurra.kernels._compiled.native", None)
        with pytest.raises(recurra.errors.BackendUnavailable, match="the native kernels are not built"):
            recurra.nn.LSTM(IN, H, backend="native")(x)
    with pytest.raises(recurra.errors.BackendUnavailable, match=r"not a callable|not built"):
        recurra.nn.RNN(IN, H, nonlinearity=torch.sin, backend="native")(x)
    with pytest.raises(recurra.errors.BackendUnavailable, match="knows tanh and relu only, not sigmoid"):
        recurra.nn.RNN(IN, H, nonlinearity="sigmoid", backend="torch")(x)
    with pytest.raises(recurra.errors.BackendUnavailable, match="without steps"):
        recurra.nn.GRU(IN, H, backend="torch")(x[:0])
    with pytest.raises(recurra.errors.BackendUnavailable, match="a transform"):
        torch.func.vmap(recurra.nn.GRU(IN, H, backend="torch"), in_dims=1)(x)


def test_a_layer_explains_its_backend() -> None:
    layer = recurra.nn.RNN(IN, H, nonlinearity="softsign", bidirectional=True)
    choice = layer.explain_backend(torch.randn(T, B, IN), lengths=RAGGED)
    first = "native" if native_is_built() else "reference"
    assert choice.name == first
    assert set(choice.reasons) == {"native", "torch"} - {first}
    assert "softsign" in choice.reasons["torch"]
    assert str(choice).splitlines()[0] == f"backend='auto': {first} serves"
    assert recurra.nn.LSTM(IN, H).explain_backend().name == ("native" if native_is_built() else "torch")
    assert recurra.nn.RNN(IN, H, nonlinearity=torch.sin, backend="native").explain_backend().name is None
    packed = pack_padded_sequence(torch.randn(T, B, IN), torch.tensor(RAGGED), enforce_sorted=False)
    assert recurra.nn.GRU(IN, H, backend="torch").explain_backend(packed, torch.zeros(1, B, H)).name == "torch"


@pytest.mark.parametrize("backend", ["torch", "reference"])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_steps_equal_the_sequence(kind: str, num_layers: int, batch_first: bool, backend: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, num_layers, batch_first=batch_first, dtype=torch.float64, backend=backend)
    x = torch.randn(T, B, IN, dtype=torch.float64)
    expected, last = layer(x.transpose(0, 1) if batch_first else x)
    state, outputs = None, []
    for x_t in x:
        y, state = layer.step(x_t, state)
        assert y.shape == (B, H)
        outputs.append(y)
    assert_agrees(torch.stack(outputs, 1 if batch_first else 0), expected, SAME_FUNCTION_F64)
    assert_agrees(state, last, SAME_FUNCTION_F64)
    state = None
    for t in range(T):
        y, state = layer.step(x[t, 2], state)
        assert y.shape == (H,)
    assert_agrees(y, outputs[-1][2], SAME_FUNCTION_F64)


def test_a_projected_lstm_steps_too() -> None:
    layer = recurra.nn.LSTM(IN, H, 2, proj_size=2, dtype=torch.float64)
    x = torch.randn(2, B, IN, dtype=torch.float64)
    expected, _ = layer(x)
    first, state = layer.step(x[0])
    second, _ = layer.step(x[1], state)
    assert_agrees(torch.stack([first, second]), expected, SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bidirectional_layer_refuses_to_step_by_name(kind: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, bidirectional=True)
    with pytest.raises(recurra.errors.StreamingUnsupported, match=f"{kind} is bidirectional"):
        layer.step(torch.zeros(B, IN))
    with pytest.raises(recurra.errors.ShapeError, match="1D or 2D, got 3D"):
        getattr(recurra.nn, kind)(IN, H).step(torch.zeros(1, B, IN))
