"""Any cell over time and two of them in both directions, against the layers that do the same."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

import recurra.nn
from recurra.errors import ConfigError, DtypeError, ShapeError
from recurra.nn import Bidirectional, Loop
from tests.tolerances import EXACT, OUTPUT_F32, SAME_FUNCTION_F64, assert_agrees

IN, H, B, T = 3, 4, 4, 5
RAGGED = (5, 2, 0, 3)
KINDS = ("RNN", "LSTM", "GRU")


def parts_of(state: Any) -> list[Tensor]:
    return [state] if isinstance(state, Tensor) else [part for each in state for part in parts_of(each)]


def detached(*values: Any) -> list[Tensor]:
    return [part.detach() for value in values for part in parts_of(value)]


def pair(kind: str, library: Any = recurra.nn, **options: Any) -> tuple[Any, Any]:
    """A layer of ours and a cell with the same parameters."""
    torch.manual_seed(0)
    layer = getattr(recurra.nn, kind)(IN, H, dtype=torch.float64, **options)
    own = {name: value for name, value in options.items() if name not in ("batch_first", "reverse")}
    cell = getattr(library, f"{kind}Cell")(IN, H, dtype=torch.float64, **own)
    cell.load_state_dict({name.removesuffix("_l0"): part for name, part in layer.state_dict().items()})
    return layer, cell


@pytest.mark.parametrize("lengths", [None, RAGGED], ids=["full", "ragged"])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("library", [recurra.nn, torch.nn], ids=["ours", "torch.nn"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_loop_over_a_cell_is_the_layer(
    kind: str, library: Any, reverse: bool, batch_first: bool, lengths: Any
) -> None:
    layer, cell = pair(kind, library, batch_first=batch_first, reverse=reverse)
    loop = Loop(cell, batch_first=batch_first, reverse=reverse)
    x = torch.randn((B, T, IN) if batch_first else (T, B, IN), dtype=torch.float64, requires_grad=True)
    hx = tuple(torch.randn(1, B, H, dtype=torch.float64) for _ in range(2 if kind == "LSTM" else 1))
    for state in (None, hx):
        y, last = loop(
            x, None if state is None else tuple(p[0] for p in hx) if kind == "LSTM" else hx[0][0], lengths=lengths
        )
        wanted, after = layer(x, None if state is None else hx if kind == "LSTM" else hx[0], lengths=lengths)
        assert_agrees(detached(y, last), detached(wanted, [part[0] for part in parts_of(after)]), SAME_FUNCTION_F64)
        (found,), (expected,) = (torch.autograd.grad(z.square().sum(), x) for z in (y, wanted))
        assert_agrees(found, expected, SAME_FUNCTION_F64)


def test_a_learned_state_and_options_of_a_cell_go_through_the_loop() -> None:
    layer, cell = pair("LSTM", learned_state=True, peephole=True, zoneout=0.1)
    with torch.no_grad():
        for name in ("state_h", "state_c"):
            getattr(layer, f"{name}_l0").normal_()
            getattr(cell, name).copy_(getattr(layer, f"{name}_l0"))
    x = torch.randn(T, B, IN, dtype=torch.float64)
    y, last = Loop(cell).eval()(x, lengths=RAGGED)
    wanted, after = layer.eval()(x, lengths=RAGGED)
    assert_agrees(detached(y, last), detached(wanted, [part[0] for part in after]), SAME_FUNCTION_F64)


class Sum(torch.nn.Module):
    """Outputs twice the sum so far; its state is the sum, one number or a nested tuple."""

    def __init__(self, nested: bool) -> None:
        super().__init__()
        self.nested = nested

    def forward(self, x: Tensor, state: Any) -> tuple[Tensor, Any]:
        before = 0.0 if state is None else state[1][0] if self.nested else state
        total = before + x
        return 2 * total, (total, (total,)) if self.nested else total


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_cell_of_ones_own_with_its_output_apart(nested: bool, reverse: bool) -> None:
    """Expected: torch.cumsum of the valid steps. Padding holds NaN; features have two dimensions."""
    x = torch.randn(T, B, 2, 3)
    valid = (torch.arange(T)[:, None] < torch.tensor(RAGGED))[..., None, None]
    loop = Loop(Sum(nested), reverse=reverse, separate_output=True)
    y, last = loop(torch.where(valid, x, torch.nan), lengths=RAGGED)
    kept = torch.where(valid, x, 0.0)
    sums = kept.flip(0).cumsum(0).flip(0) if reverse else kept.cumsum(0)
    torch.testing.assert_close(y, torch.where(valid, 2 * sums, 0.0))
    for part in parts_of(last):
        torch.testing.assert_close(part, sums[0] if reverse else sums[-1])
    assert repr(loop).startswith("Loop(\n  " + ("reverse=True, " if reverse else "") + "separate_output=True")


@pytest.mark.parametrize("lengths", [None, RAGGED], ids=["full", "ragged"])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("form", ["reversed layer", "plain layer", "loops"])
@pytest.mark.parametrize("kind", KINDS)
def test_two_directions_are_those_of_the_layer(kind: str, form: str, batch_first: bool, lengths: Any) -> None:
    torch.manual_seed(0)
    layer = getattr(recurra.nn, kind)(IN, H, bidirectional=True, batch_first=batch_first, dtype=torch.float64)
    weights = layer.state_dict()
    ahead = {name: part for name, part in weights.items() if "reverse" not in name}
    back = {name.removesuffix("_reverse"): part for name, part in weights.items() if "reverse" in name}
    if form == "loops":
        cells = [getattr(recurra.nn, f"{kind}Cell")(IN, H, dtype=torch.float64) for _ in range(2)]
        for cell, part in zip(cells, (ahead, back), strict=True):
            cell.load_state_dict({name.removesuffix("_l0"): value for name, value in part.items()})
        both = Bidirectional(
            Loop(cells[0], batch_first=batch_first), Loop(cells[1], batch_first=batch_first, reverse=True)
        )
    else:
        options = [{}, {"reverse": form == "reversed layer"}]
        made = [getattr(recurra.nn, kind)(IN, H, batch_first=batch_first, dtype=torch.float64, **o) for o in options]
        made[0].load_state_dict(ahead)
        made[1].load_state_dict(back)
        both = Bidirectional(*made)
    x = torch.randn((B, T, IN) if batch_first else (T, B, IN), dtype=torch.float64)
    y, last = both(x, lengths=lengths)
    wanted, after = layer(x, lengths=lengths)
    assert_agrees(y.detach(), wanted.detach(), SAME_FUNCTION_F64)
    found = [part.reshape(B, H) for each in zip(*map(parts_of, last), strict=True) for part in each]
    assert_agrees(
        [p.detach() for p in found], [p.detach() for part in parts_of(after) for p in part], SAME_FUNCTION_F64
    )
    again, _ = copy.deepcopy(both)(x, None if form == "loops" else last, lengths=lengths)
    assert again.shape == y.shape


def test_a_compiled_loop_is_the_loop() -> None:
    torch._dynamo.reset()
    loop = Loop(recurra.nn.LSTMCell(IN, H, peephole=True, learned_state=True), reverse=True)
    x, lengths = torch.randn(T, B, IN), torch.tensor(RAGGED)
    found = torch.compile(loop, fullgraph=True, backend="aot_eager")(x, lengths=lengths)
    assert_agrees(detached(*found), detached(*loop(x, lengths=lengths)), OUTPUT_F32)


def test_the_two_may_differ_and_be_merged_otherwise() -> None:
    both = Bidirectional(recurra.nn.GRU(IN, H), torch.nn.Identity(), merge=torch.add)
    assert both.batch_first is False
    both = Bidirectional(recurra.nn.GRU(IN, H), recurra.nn.RNN(IN, H, nonlinearity="relu"), merge=torch.add)
    x = torch.randn(T, B, IN)
    y, (h, g) = both(x)
    ahead, _ = both.forward_layer(x)
    back, last = both.backward_layer(x.flip(0))
    assert_agrees(y.detach(), (ahead + back.flip(0)).detach(), EXACT)
    assert_agrees(g.detach(), last.detach(), EXACT)
    first, second = both(x, (h, None))[1]
    assert not torch.equal(first, h)
    assert torch.equal(second, g)


def test_what_does_not_fit_is_refused() -> None:
    loop = Loop(recurra.nn.GRUCell(IN, H))
    layer, both = recurra.nn.GRU(IN, H), recurra.nn.GRU(IN, H, bidirectional=True)
    cell: Any = loop.cell
    for call, error, message in (
        (lambda: Loop(3), DtypeError, "cell should be a module"),  # type: ignore[arg-type]
        (lambda: Loop(cell, reverse=1), DtypeError, "reverse should be of type bool"),  # type: ignore[arg-type]
        (lambda: loop([1.0]), DtypeError, "input should be a tensor"),
        (lambda: loop(torch.zeros(3)), ShapeError, "steps and rows"),
        (lambda: loop(torch.zeros(0, B, IN)), ShapeError, "no steps"),
        (lambda: loop(torch.zeros(T, B, IN), lengths=[1]), ShapeError, "one length for each"),
        (lambda: Loop(lambda x, s: x.sum())(torch.zeros(T, B, IN), lengths=RAGGED), ShapeError, "rows first"),
        (lambda: Bidirectional(recurra.nn.GRU(IN, H, reverse=True), loop), ConfigError, "runs in reverse"),
        (lambda: Bidirectional(layer, both), ConfigError, "already"),
        (
            lambda: Bidirectional(Bidirectional(layer, layer), layer),
            ConfigError,
            "Bidirectional is bidirectional already",
        ),
        (lambda: Bidirectional(layer, loop.cell), ConfigError, r"hand in Loop\(GRUCell"),
        (lambda: Bidirectional(layer, None), DtypeError, "two layers or loops, got: NoneType"),  # type: ignore[arg-type]
        (lambda: Bidirectional(layer, layer, merge="sum"), DtypeError, "merge should be a function"),  # type: ignore[arg-type]
        (lambda: Loop(layer), ConfigError, "GRU runs over time by itself"),
        (lambda: Loop(torch.nn.GRU(IN, H)), ConfigError, "GRU runs over time by itself"),
        (lambda: Loop(loop), ConfigError, "Loop runs over time by itself"),
        (lambda: Bidirectional(recurra.nn.GRU(IN, H, batch_first=True), loop), ConfigError, "batch_first"),
    ):
        with pytest.raises(error, match=message):
            call()
