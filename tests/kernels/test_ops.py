"""The operator for torch.export: PyTorch's own opcheck, values and gradients of an exported layer against the layer."""

import pytest
import torch

import recurra.nn
from recurra.kernels import _ops, native_is_built
from tests.tolerances import SAME_FUNCTION_F64, assert_agrees

pytestmark = pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")
KINDS = ("RNN", "LSTM", "GRU")
IN, H, B, T = 3, 5, 2, 4


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("kind", [0, 1, 2])
def test_opcheck(kind: int, ragged: bool) -> None:
    gates = (1, 4, 3)[kind] * H
    shapes = ((gates, IN), (gates, H), (gates,), (gates,))
    weights = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    x = torch.randn(B, T, IN, dtype=torch.float64, requires_grad=True)
    state = [torch.randn(1, B, H, dtype=torch.float64, requires_grad=True) for _ in range(2 if kind == 1 else 1)]
    lengths = torch.tensor([2, 4]) if ragged else None
    torch.library.opcheck(_ops.layer, (x, state, weights, lengths, [kind, 0, 0, 1, 1, 0]))


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
