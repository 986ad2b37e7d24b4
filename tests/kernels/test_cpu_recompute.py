"""Recomputation equals keeping the gates, value by value, and keeps less."""

import gc

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

import recurra.nn
from recurra.kernels import _cpu_call, native_is_built
from tests.tolerances import SAME_FUNCTION_F64, assert_agrees

pytestmark = pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")
KINDS = ({"kind": "RNN"}, {"kind": "LSTM"}, {"kind": "LSTM", "proj_size": 7}, {"kind": "GRU"})
KINDS = (*KINDS, {"kind": "GRU", "reset_after": False})
IN, H, B, T = 5, 19, 5, 40
RAGGED = (40, 0, 13, 7, 39)


def pair(options: dict[str, object], **more: object) -> tuple[torch.nn.Module, torch.nn.Module]:
    """The same layer, once recomputed and once kept."""
    rest = {name: value for name, value in options.items() if name != "kind"}
    made = [
        getattr(recurra.nn, str(options["kind"]))(IN, H, dtype=torch.float64, recompute=again, **rest, **more)
        for again in (True, False)
    ]
    made[1].load_state_dict(made[0].state_dict())
    return made[0], made[1]


def results(layer: torch.nn.Module, x: torch.Tensor, how: str, batch_first: bool) -> list[torch.Tensor]:
    """Outputs, last states, and the gradients of input, first state and weights."""
    x = x.clone().requires_grad_()
    lengths = torch.tensor(RAGGED)
    if how == "packed":
        packed = pack_padded_sequence(x, lengths.clamp(min=1), batch_first=batch_first, enforce_sorted=False)
        y, last = layer(packed)
        y = y.data
    else:
        y, last = layer(x, lengths=lengths if how == "ragged" else None)
    last = last if isinstance(last, tuple) else (last,)
    loss = y.square().sum() + sum(part.sin().sum() for part in last)
    return [y.detach(), *(part.detach() for part in last), *torch.autograd.grad(loss, [x, *layer.parameters()])]


@pytest.mark.parametrize("how", ["full", "ragged", "packed"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("options", KINDS, ids=lambda o: " ".join(map(str, o.values())))
def test_values_and_gradients_are_those_of_a_layer_that_keeps_its_gates(
    options: dict[str, object], bidirectional: bool, how: str
) -> None:
    # expected: the same layer without recompute, which is held against the equations in test_native.py
    for batch_first in (True, False):
        again, kept = pair(options, num_layers=2, bidirectional=bidirectional, batch_first=batch_first)
        x = torch.randn(B, T, IN, dtype=torch.float64)
        x = x if batch_first else x.transpose(0, 1)
        assert_agrees(results(again, x, how, batch_first), results(kept, x, how, batch_first), SAME_FUNCTION_F64)


@pytest.mark.parametrize("options", KINDS[1:], ids=lambda o: " ".join(map(str, o.values())))
def test_an_initial_state_gets_its_gradient(options: dict[str, object]) -> None:
    again, kept = pair(options, bidirectional=True)
    x = torch.randn(T, B, IN, dtype=torch.float64)
    found = []
    for layer in (again, kept):
        _, last = layer(x)
        torch.manual_seed(3)
        parts = last if isinstance(last, tuple) else (last,)
        state = [torch.randn_like(part).requires_grad_() for part in parts]
        y, _ = layer(x, tuple(state) if len(state) > 1 else state[0], lengths=list(RAGGED))
        found.append(torch.autograd.grad(y.square().sum(), state))
    assert_agrees(found[0], found[1], SAME_FUNCTION_F64)


@pytest.mark.parametrize("options", KINDS[1:], ids=lambda o: " ".join(map(str, o.values())))
def test_second_derivatives_and_a_kept_graph(options: dict[str, object]) -> None:
    again, kept = pair(options)
    x = torch.randn(12, 2, IN, dtype=torch.float64)
    found = []
    for layer in (again, kept):
        z = x.clone().requires_grad_()
        y, _ = layer(z)
        (first,) = torch.autograd.grad(y.square().sum(), z, create_graph=True)
        second = torch.autograd.grad(first.square().sum(), list(layer.parameters()), retain_graph=True)
        third = torch.autograd.grad(y.sum(), list(layer.parameters()))
        found.append([*second, *third])
    assert_agrees(found[0], found[1], SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_tapes_cover_one_part_at_a_time(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of all tapes that live at once, as the kernels report them."""
    taped: list[int] = []

    class Watched:
        def __init__(self, inner: object) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        def forward(self, *arguments: object) -> object:
            tapes = self.inner.forward(*arguments)
            if tapes is not None:
                taped.append(tapes.bytes)
            return tapes

    monkeypatch.setattr(_cpu_call, "native", Watched(_cpu_call.native))
    most = []
    for recompute in (True, False):
        taped.clear()
        layer = getattr(recurra.nn, kind)(IN, 64, recompute=recompute)
        layer(torch.randn(900, 8, IN))[0].sum().backward()
        gc.collect()
        most.append(max(taped))
    assert most[0] * 20 < most[1]
