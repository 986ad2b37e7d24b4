"""The operator for torch.compile and torch.export: opcheck, values, gradients, and what it refuses."""

from collections.abc import Callable

import pytest
import torch
from torch.autograd import forward_ad
from torch.func import functional_call, grad, jvp, vmap

import recurra.nn
from recurra.errors import BackendUnavailable
from recurra.kernels import Stack, Weights, _ops, native_is_built
from recurra.kernels._call import Call
from recurra.kernels._ops_code import encode
from tests.tolerances import SAME_FUNCTION_F64, assert_agrees

pytestmark = pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")
KINDS = ("RNN", "LSTM", "GRU")
IN, H, B, T = 3, 5, 2, 4


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_opcheck(kind: int, ragged: bool) -> None:
    gates = (1, 4, 3, 3)[kind] * H
    shapes = ((gates, IN), (gates, H), (gates,), (gates,))
    weights = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    x = torch.randn(B, T, IN, dtype=torch.float64, requires_grad=True)
    state = [torch.randn(1, B, H, dtype=torch.float64, requires_grad=True) for _ in range(2 if kind == 1 else 1)]
    lengths = torch.tensor([2, 4]) if ragged else None
    call = Call(x, tuple(state), (Weights(*weights),), Stack(batch_first=True))
    torch.library.opcheck(_ops.layer, (x, state, weights, lengths, [], *encode(kind, 0, call)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_an_exported_layer_takes_any_number_of_rows_and_steps(kind: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, 2, batch_first=True, bidirectional=True, dtype=torch.float64).eval()
    x = torch.randn(B, T, IN, dtype=torch.float64)
    free = {0: torch.export.Dim("B", min=1, max=64), 1: torch.export.Dim("T", min=1, max=512)}
    exported = torch.export.export(layer, (x,), dynamic_shapes=(free,)).module()
    y = torch.randn(5, 9, IN, dtype=torch.float64)
    found, wanted = exported(y)[0], layer(y)[0]
    assert_agrees(found, wanted, SAME_FUNCTION_F64)
    names = [name for name, _ in layer.named_parameters()]
    theirs = [dict(exported.named_parameters())[name] for name in names]
    assert_agrees(
        torch.autograd.grad(found.square().sum(), theirs),
        torch.autograd.grad(wanted.square().sum(), list(layer.parameters())),
        SAME_FUNCTION_F64,
    )


def case(kind: str) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(4)
    layer = getattr(recurra.nn, kind)(IN, H, batch_first=True, dtype=torch.float64)
    x, v = (torch.randn(B, T, IN, dtype=torch.float64) for _ in range(2))
    return layer, x, v


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_a_compiled_layer_is_one_operator_whatever_its_steps(kind: str) -> None:
    layer, _, _ = case(kind)
    graphs: list[torch.fx.GraphModule] = []

    def look(graph: torch.fx.GraphModule, _: object) -> torch.fx.GraphModule:
        graphs.append(graph)
        return graph

    torch._dynamo.reset()
    compiled = torch.compile(layer, fullgraph=True, backend=look, dynamic=True)
    for steps in (T, 9, 30):
        given = torch.randn(B, steps, IN, dtype=torch.float64)
        assert_agrees(compiled(given)[0], layer(given)[0], SAME_FUNCTION_F64)
    assert len(graphs) == 1
    targets = [str(node.target) for node in graphs[0].graph.nodes if node.op == "call_function"]
    assert sum("recurra" in target for target in targets) == 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_transforms_inside_a_compiled_function_and_around_one(kind: str) -> None:
    """By value against the same transform without compilation, held to the equations in tests/nn/test_transforms.py."""
    layer, x, v = case(kind)
    p = {name: value.detach() for name, value in layer.named_parameters()}

    def f(z: torch.Tensor) -> torch.Tensor:
        return functional_call(layer, p, (z,))[0]

    transforms: list[Callable[[Callable[[torch.Tensor], torch.Tensor]], torch.Tensor]] = [
        lambda g: jvp(g, (x,), (v,))[1],
        lambda g: vmap(lambda row: g(row[None])[0])(x),
        lambda g: grad(lambda z: (g(z) ** 3).sum())(x),
        lambda g: vmap(grad(lambda row: (g(row[None]) ** 3).sum()))(x),
    ]
    for transform in transforms:
        wanted = transform(f)
        torch._dynamo.reset()
        inside = torch.compile(transform, backend="aot_eager", fullgraph=True)
        assert_agrees(inside(f), wanted, SAME_FUNCTION_F64)
        assert_agrees(transform(torch.compile(f, backend="aot_eager")), wanted, SAME_FUNCTION_F64)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_that_an_operator_lacks_are_refused(kind: str) -> None:
    layer, x, v = case(kind)
    free = {0: torch.export.Dim("B", min=1, max=64), 1: torch.export.Dim("T", min=1, max=512)}
    exported = torch.export.export(layer, (x,), dynamic_shapes=(free,)).module()
    torch._dynamo.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    compiled(x)
    with pytest.raises(BackendUnavailable, match="no forward-mode derivative"):
        jvp(lambda z: exported(z)[0], (x,), (v,))
    for network in (exported, compiled):
        with forward_ad.dual_level(), pytest.raises((NotImplementedError, BackendUnavailable)):
            network(forward_ad.make_dual(x, v))
        z = x.clone().requires_grad_()
        (first,) = torch.autograd.grad(network(z)[0].square().sum(), z, create_graph=True)
        with pytest.raises(RuntimeError, match=r"double backward|no autograd formula"):
            torch.autograd.grad(first.sum(), z)
