"""The native layers' derivatives against finite differences, first and second, of inputs, states and weights.

Expected numbers are differences of the layers' own outputs in float64 (`torch.autograd.gradcheck`).
"""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call

import recurra.nn
from recurra.kernels import native_is_built

pytestmark = pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")

LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "RNN": ("RNN", {}),
    "RNN softplus": ("RNN", {"nonlinearity": "softplus"}),
    "LSTM": ("LSTM", {}),
    "LSTM projected": ("LSTM", {"proj_size": 2}),
    "LSTM without bias": ("LSTM", {"bias": False}),
    "GRU": ("GRU", {}),
    "GRU reset before": ("GRU", {"reset_after": False}),
}

SETTINGS: dict[str, dict[str, Any]] = {
    "one layer": {},
    "two layers, both directions": {"num_layers": 2, "bidirectional": True},
    "batch first": {"batch_first": True, "bidirectional": True},
    "recomputed": {"recompute": True},
}


def case(name: str, options: dict[str, Any], steps: int = 4, rows: int = 3, lengths: Any = None) -> tuple[Any, Any]:
    """A function of x, states and weights, and values of these that want gradients."""
    torch.manual_seed(11)
    kind, more = LAYERS[name]
    layer = getattr(recurra.nn, kind)(3, 5, backend="native", dtype=torch.float64, **more, **options)
    names, weights = zip(*layer.named_parameters(), strict=True)
    shape = (rows, steps, 3) if layer.batch_first else (steps, rows, 3)
    states = layer.num_layers * (2 if layer.bidirectional else 1)
    widths = [layer.proj_size or 5, 5] if kind == "LSTM" else [5]
    values = [torch.randn(shape, dtype=torch.float64)]
    values += [torch.randn(states, rows, width, dtype=torch.float64) for width in widths]
    values = [part.requires_grad_() for part in (*values, *(w.detach().clone() for w in weights))]

    def run(x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        state = rest[: len(widths)]
        given = dict(zip(names, rest[len(widths) :], strict=True))
        h = state if len(state) > 1 else state[0]
        y, last = functional_call(layer, given, (x, h), {"lengths": lengths})
        return (y, *(last if isinstance(last, tuple) else (last,)))

    return run, values


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", LAYERS)
def test_first_derivatives(name: str, setting: str) -> None:
    run, values = case(name, SETTINGS[setting])
    assert gradcheck(run, values, fast_mode=True)


@pytest.mark.parametrize("name", LAYERS)
def test_first_derivatives_number_by_number(name: str) -> None:
    run, values = case(name, {"bidirectional": True}, steps=3, rows=2)
    assert gradcheck(run, values)


@pytest.mark.parametrize("name", LAYERS)
def test_first_derivatives_of_ragged_rows(name: str) -> None:
    run, values = case(name, {"bidirectional": True}, lengths=torch.tensor([2, 4, 0]))
    assert gradcheck(run, values, fast_mode=True)


@pytest.mark.parametrize("lengths", [None, (1, 4, 0)], ids=["full", "ragged"])
@pytest.mark.parametrize("name", LAYERS)
def test_second_derivatives(name: str, lengths: tuple[int, ...] | None) -> None:
    there = None if lengths is None else torch.tensor(lengths)
    run, values = case(name, {"bidirectional": True}, lengths=there)
    assert gradgradcheck(run, values, fast_mode=True)


@pytest.mark.parametrize(("steps", "rows"), [(1, 1), (1, 3), (4, 1)])
@pytest.mark.parametrize("name", LAYERS)
def test_first_derivatives_of_the_smallest_batches(name: str, steps: int, rows: int) -> None:
    run, values = case(name, {}, steps, rows)
    assert gradcheck(run, values)
