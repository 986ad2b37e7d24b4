"""A frozen layer: the same numbers, changed weights noticed, copies and other types on their own."""

import copy
import pickle

import pytest
import torch

import recurra.nn
from recurra.errors import BackendUnavailable, DtypeError
from recurra.kernels import freezing, native_is_built

KINDS = ({"kind": "RNN"}, {"kind": "LSTM"}, {"kind": "LSTM", "proj_size": 4}, {"kind": "GRU"})
KINDS = (*KINDS, {"kind": "GRU", "reset_after": False})
IN, H, B, T = 5, 19, 2, 3
needs_native = pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")


def network(options: dict[str, object], **more: object) -> recurra.nn.RNN:
    rest = {name: value for name, value in options.items() if name != "kind"}
    made: recurra.nn.RNN = getattr(recurra.nn, str(options["kind"]))(IN, H, **rest, **more)
    return made.eval()


@needs_native
@pytest.mark.parametrize("options", KINDS, ids=lambda o: " ".join(map(str, o.values())))
def test_a_frozen_layer_gives_the_same_bits_and_notices_a_changed_weight(options: dict[str, object]) -> None:
    x = torch.randn(T, B, IN)
    for more in ({}, {"num_layers": 2, "bidirectional": True}):
        layer = network(options, **more)
        with torch.no_grad():
            before = layer(x)[0]
            assert torch.equal(layer.freeze()(x)[0], before)
            layer.weight_hh_l0.data.mul_(1.5)  # leaves no trace in the version counter
            changed = layer(x)[0]
            assert not torch.equal(changed, before)
            layer.weight_ih_l0 = torch.nn.Parameter(layer.weight_ih_l0 * 2)
            again = layer(x, lengths=[3, 2])[0]
            assert torch.equal(layer.freeze(False)(x, lengths=[3, 2])[0], again)


@needs_native
@pytest.mark.parametrize("options", KINDS, ids=lambda o: " ".join(map(str, o.values())))
def test_copies_types_and_gradients(options: dict[str, object]) -> None:
    layer, x = network(options).freeze(), torch.randn(T, B, IN)
    with torch.no_grad():
        expected = layer(x)[0]
        for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert torch.equal(other(x)[0], expected)
            other.weight_hh_l0.mul_(0)
        assert torch.equal(layer(x)[0], expected)
        wide = layer.double()(x.double())[0]
        torch.testing.assert_close(wide.float(), expected, rtol=1e-5, atol=1e-6)
    y, _ = layer(x.double())
    assert all(g.any() for g in torch.autograd.grad(y.sum(), list(layer.parameters())))


def test_what_cannot_be_packed_is_refused_or_left_to_other_backends(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = network({"kind": "GRU"}), torch.randn(T, B, IN)
    with pytest.raises(DtypeError, match="frozen should be of type bool"):
        layer.freeze(1)  # type: ignore[arg-type]
    with pytest.raises(BackendUnavailable, match=r"not torch\.float16|not built"):
        freezing.pack_layers("gru", layer.half()._weights(), 1)
    monkeypatch.setattr("recurra.kernels._compiled.native", None)
    with pytest.raises(BackendUnavailable, match="not built"):
        freezing.pack_layers("gru", layer._weights(), 1)
    assert layer.float().freeze()(x)[0].shape == (T, B, H)
