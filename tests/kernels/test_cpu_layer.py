"""The backward pass of a native graph under whatever PyTorch does around it; and what its saved lengths are."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.autograd import forward_ad
from torch.func import vmap

import recurra.nn
from recurra.kernels import native_is_built
from tests.tolerances import relative_error

pytestmark = [
    pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here"),
    # PyTorch scripts its own forward-mode rules when they are first used
    pytest.mark.filterwarnings(r"ignore:.torch\.jit\.script. is deprecated:DeprecationWarning"),
]

KINDS = ("RNN", "LSTM", "GRU")
T, B, IN, H = 20, 2, 3, 5


def both(kind: str, **options: Any) -> tuple[torch.nn.Module, torch.nn.Module, torch.Tensor]:
    """Our layer and torch.nn's with the same weights, in float64, and an input that wants a gradient."""
    torch.manual_seed(0)
    ours = getattr(recurra.nn, kind)(IN, H, backend="native", dtype=torch.float64, **options)
    theirs = getattr(torch.nn, kind)(IN, H, dtype=torch.float64)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs, torch.randn(T, B, IN, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_tangent_goes_through_the_backward_pass(kind: str, recompute: bool) -> None:
    # expected: torch.nn's tangent
    ours, theirs, x = both(kind, recompute=recompute)
    v, t = torch.randn(2, T, B, H, dtype=torch.float64)
    tangents = []
    for layer in (ours, theirs):
        y = layer(x)[0]
        with forward_ad.dual_level():
            dual = torch.autograd.grad(y, x, forward_ad.make_dual(v, t))[0]
            tangents.append(forward_ad.unpack_dual(dual).tangent)
    assert relative_error(*tangents) < 1e-12


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_many_gradients_at_once(kind: str, recompute: bool) -> None:
    # expected: the same one by one, and torch.nn's Jacobian
    ours, theirs, x = both(kind, recompute=recompute)
    y = ours(x)[0]
    many = torch.randn(4, T, B, H, dtype=torch.float64)
    wanted = torch.stack([torch.autograd.grad(y, x, v, retain_graph=True)[0] for v in many])
    found = torch.autograd.grad(y, x, many, is_grads_batched=True, retain_graph=True)[0]
    assert relative_error(found, wanted) < 1e-12
    found = vmap(lambda v: torch.autograd.grad(y, x, v, retain_graph=True)[0])(many)
    assert relative_error(found, wanted) < 1e-12
    short = x.detach()[:3]
    matrices = [
        torch.autograd.functional.jacobian(lambda z, layer=layer: layer(z)[0], short, vectorize=True)
        for layer in (ours, theirs)
    ]
    assert relative_error(*matrices) < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_third_derivatives(kind: str) -> None:
    # expected: torch.nn's
    found = []
    ours, theirs, x = both(kind)
    for layer in (ours, theirs):
        (one,) = torch.autograd.grad((layer(x)[0] ** 3).sum(), x, create_graph=True)
        (two,) = torch.autograd.grad((one**2).sum(), x, create_graph=True)
        found.append(torch.autograd.grad((two**2).sum(), x)[0])
    assert relative_error(*found) < 1e-10


@pytest.mark.parametrize("kind", KINDS)
def test_create_graph_without_steps_gives_zeros(kind: str) -> None:
    ours, _, _ = both(kind)
    x = torch.randn(0, B, IN, dtype=torch.float64, requires_grad=True)
    found = torch.autograd.grad(ours(x)[0].sum(), [x, ours.weight_hh_l0], create_graph=True)
    assert found[0].shape == x.shape
    assert not found[1].any()


class Nothing(torch.autograd.Function):
    """Lets values through and no gradient back."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, dx: torch.Tensor) -> None:
        return None


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_no_gradient_that_comes_in_gives_none(kind: str, create_graph: bool) -> None:
    # expected: what torch.nn gives
    for layer in both(kind)[:2]:
        x = torch.randn(T, B, IN, dtype=torch.float64, requires_grad=True)
        y = Nothing.apply(layer(x)[0])
        assert torch.autograd.grad(y.sum(), x, create_graph=create_graph, allow_unused=True) == (None,)


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("create_graph", [False, True])
def test_lengths_that_change_after_the_call_change_no_gradient(create_graph: bool, recompute: bool) -> None:
    # expected: the gradient with lengths that stay
    ours, _, x = both("GRU", recompute=recompute)
    lengths = np.array([T, 7])
    kept = torch.autograd.grad(ours(x, lengths=lengths.copy())[0].sum(), x)[0]
    y, _ = ours(x, lengths=lengths)
    lengths[:] = 1
    found = torch.autograd.grad(y.sum(), x, create_graph=create_graph)[0]
    assert relative_error(found.detach(), kept) < 1e-12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", ["state", "weight", "gradient"])
def test_what_lost_its_memory_is_refused(kind: str, part: str) -> None:
    ours, _, x = both(kind)
    h = torch.ones(1, B, H, dtype=torch.float64)
    y = ours(x)[0]
    dy = torch.ones_like(y)
    gone = {"state": h, "weight": ours.bias_ih_l0.data, "gradient": dy}[part]
    gone.untyped_storage().resize_(0)
    if part == "weight":
        ours.bias_hh_l0.data.untyped_storage().resize_(0)
    with pytest.raises(recurra.errors.ShapeError, match="no memory"):
        torch.autograd.grad(y, x, dy) if part == "gradient" else ours(x, (h, h) if kind == "LSTM" else h)
