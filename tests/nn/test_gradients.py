"""Gradient norms by distance, against torch.nn restarted from the state at each step, and against known decay."""

from collections.abc import Callable

import pytest
import torch

import recurra.nn
from recurra.errors import ConfigError, ShapeError
from recurra.nn import gradient_norms
from tests.tolerances import EXACT, SAME_FUNCTION_F64, assert_agrees

Pair = Callable[..., tuple[torch.nn.Module, torch.nn.Module]]
KINDS = ("RNN", "LSTM", "GRU")
IN, H, B, T = 3, 5, 4, 6
RAGGED = (6, 2, 0, 5)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(("num_layers", "bidirectional"), [(1, False), (2, True)])
@pytest.mark.parametrize("kind", KINDS)
def test_of_the_input(pair: Pair, kind: str, num_layers: int, bidirectional: bool, batch_first: bool) -> None:
    """torch.nn on each row alone, backward from its last output."""
    theirs, ours = pair(kind, IN, H, num_layers, bidirectional=bidirectional, batch_first=batch_first)
    x = torch.randn(T, B, IN, dtype=torch.float64)
    given = x.transpose(0, 1) if batch_first else x
    found = gradient_norms(ours, given, loss=lambda y: y.square().sum(-1), lengths=RAGGED)["x"]
    assert found.shape == (T, B)
    for b, length in enumerate(RAGGED):
        assert bool(found[length:, b].isnan().all())
        if length:
            row = x[:length, b].clone().requires_grad_()
            (gradient,) = torch.autograd.grad(theirs(row)[0][-1].square().sum(), row)
            assert_agrees(found[:length, b], gradient.norm(dim=-1).flip(0), SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_of_output_and_cell(pair: Pair, kind: str) -> None:
    """torch.nn restarted from the state after step t gives dL/dh(t); c(t) acts through h(t) besides."""
    theirs, ours = pair(kind, IN, H)
    x = torch.randn(T, B, IN, dtype=torch.float64)
    found = gradient_norms(ours, x)
    for t in range(T - 1):
        _, state = theirs(x[: t + 1])
        leaves = [part.detach().requires_grad_() for part in (state if kind == "LSTM" else (state,))]
        output, _ = theirs(x[t + 1 :], tuple(leaves) if kind == "LSTM" else leaves[0])
        gradients = torch.autograd.grad(output[-1].sum(), leaves)
        distance = T - 1 - t
        assert_agrees(found["h_l0"][distance], gradients[0][0].norm(dim=-1), SAME_FUNCTION_F64)
        if kind == "LSTM":
            tanh_c = leaves[1].detach().tanh()
            o = leaves[0].detach() / tanh_c
            whole = gradients[1] + gradients[0] * o * (1 - tanh_c.square())
            assert_agrees(found["c_l0"][distance], whole[0].norm(dim=-1), SAME_FUNCTION_F64)
    assert_agrees(found["h_l0"][0], torch.full((B,), H**0.5, dtype=torch.float64), EXACT)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_of_a_linear_recurrence_they_are_powers(factor: float) -> None:
    """h(t) = factor h(t-1) + x(t): |dL/dh(T-1-k)| = factor^k sqrt(H), vanishing or exploding."""
    layer = recurra.nn.RNN(H, H, nonlinearity="affine", bias=False, dtype=torch.float64)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.eye(H))
        layer.weight_hh_l0.copy_(factor * torch.eye(H))
    found = gradient_norms(layer, torch.randn(T, H, dtype=torch.float64))
    wanted = factor ** torch.arange(T, dtype=torch.float64) * H**0.5
    assert_agrees(found["h_l0"], wanted, SAME_FUNCTION_F64)
    assert_agrees(found["x"], wanted, SAME_FUNCTION_F64)


def test_a_gradient_that_vanishes_in_float32_is_still_seen() -> None:
    """0.1^25 = 1e-25 is a float32; its square is not."""
    layer = recurra.nn.RNN(1, 1, nonlinearity="affine", bias=False)
    with torch.no_grad():
        layer.weight_ih_l0.fill_(1.0)
        layer.weight_hh_l0.fill_(0.1)
    found = gradient_norms(layer, torch.ones(26, 1))["h_l0"]
    torch.testing.assert_close(found[25].double(), torch.tensor(1e-25, dtype=torch.float64), rtol=1e-5, atol=0.0)


def test_names_empty_input_and_parameters_left_alone() -> None:
    layer = recurra.nn.LSTM(IN, H, 2, bidirectional=True, proj_size=2, batch_first=True)
    found = gradient_norms(layer, torch.randn(B, T, IN))
    ends = ("l0", "l0_reverse", "l1", "l1_reverse")
    assert list(found) == ["x", *(f"{part}_{end}" for end in ends for part in "ch")]
    assert not bool(found["h_l1_reverse"][1:].any()), (
        "the last output sees only the first step of the reverse direction"
    )
    assert all(p.grad is None for p in layer.parameters())
    assert {part.shape for part in gradient_norms(layer, torch.zeros(B, 0, IN)).values()} == {(0, B)}
    packed = torch.nn.utils.rnn.pack_sequence([torch.randn(n, IN) for n in (4, 2)])
    assert gradient_norms(layer, packed)["x"].isnan().sum() == 2
    with torch.no_grad():
        assert bool(gradient_norms(layer, torch.randn(B, T, IN))["x"].all())


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match="input_size"):
        gradient_norms(recurra.nn.GRU(IN, H), torch.zeros(T, B, 2))
    with pytest.raises(ConfigError, match=r"of recurra\.nn, got: Linear"):
        gradient_norms(torch.nn.Linear(IN, H), torch.zeros(T, B, IN))


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_layer_in_reverse_distance_goes_forward(kind: str) -> None:
    """The norms of a forward layer over the reversed rows."""
    torch.manual_seed(0)
    options = {"clip": 0.7, "zoneout": 0.2, "learned_state": True, "dtype": torch.float64}
    back = getattr(recurra.nn, kind)(IN, H, reverse=True, **options)
    ahead = getattr(recurra.nn, kind)(IN, H, **options)
    ahead.load_state_dict(back.state_dict())
    x = torch.randn(T, B, IN, dtype=torch.float64)
    turned = x.clone()
    for row, steps in enumerate(RAGGED):
        turned[:steps, row] = x[:steps, row].flip(0)
    found, wanted = gradient_norms(back, x, lengths=RAGGED), gradient_norms(ahead, turned, lengths=RAGGED)
    assert list(found) == list(wanted)
    for name, norms in wanted.items():
        assert_agrees(found[name].nan_to_num(-1.0), norms.nan_to_num(-1.0), SAME_FUNCTION_F64, name)


def test_zoneout_adds_a_way_past_each_step() -> None:
    """With phi(a) = a, Wy = w and zoneout p, h(t) = (p + (1 - p) w) h(t-1) + ...: powers of that factor."""
    layer = recurra.nn.RNN(1, 1, nonlinearity="affine", zoneout=0.25, dtype=torch.float64)
    with torch.no_grad():
        layer.weight_hh_l0.fill_(0.5)
    found = gradient_norms(layer, torch.zeros(T, 1, 1, dtype=torch.float64))["h_l0"]
    factor = 0.25 + 0.75 * 0.5
    assert_agrees(found[:, 0], factor ** torch.arange(T, dtype=torch.float64), SAME_FUNCTION_F64)
