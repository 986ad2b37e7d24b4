"""PyTorch's transforms over the layers, by value, against the equations written out in plain operations."""

from collections.abc import Callable

import pytest
import torch
from torch.autograd import forward_ad
from torch.func import functional_call, grad, hessian, jvp, vmap

import recurra.nn
from tests.tolerances import HIGHER_DERIVATIVE_F64, SAME_FUNCTION_F64, assert_agrees

# PyTorch scripts its own forward-mode rules when they are first used
pytestmark = pytest.mark.filterwarnings(r"ignore:.torch\.jit\.script. is deprecated:DeprecationWarning")

KINDS = ("RNN", "LSTM", "GRU")
IN, H, B, T = 2, 3, 2, 3
Parameters = dict[str, torch.Tensor]
Network = Callable[[Parameters, torch.Tensor], torch.Tensor]


def equations(kind: str) -> Network:
    """[B, T, I] -> [B, T, H], one layer, gate order i f g o and r z n, independent of recurra.kernels."""

    def run(p: Parameters, x: torch.Tensor) -> torch.Tensor:
        h = c = x.new_zeros(x.shape[0], H)
        outputs = []
        for t in range(x.shape[1]):
            a = x[:, t] @ p["weight_ih_l0"].T + p["bias_ih_l0"]
            b = h @ p["weight_hh_l0"].T + p["bias_hh_l0"]
            if kind == "RNN":
                h = (a + b).tanh()
            elif kind == "GRU":
                r, z = ((a + b)[:, : 2 * H]).sigmoid().chunk(2, 1)
                n = (a[:, 2 * H :] + r * b[:, 2 * H :]).tanh()
                h = (1 - z) * n + z * h
            else:
                i, f, g, o = (a + b).chunk(4, 1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs, 1)

    return run


def case(kind: str) -> tuple[Network, Network, Parameters, torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    layer = getattr(recurra.nn, kind)(IN, H, batch_first=True, dtype=torch.float64)
    p = {name: value.detach().clone() for name, value in layer.named_parameters()}
    x, v = torch.randn(2, B, T, IN, dtype=torch.float64)
    return (lambda p, x: functional_call(layer, p, (x,))[0]), equations(kind), p, x, v


def cubed(network: Network) -> Network:
    return lambda p, x: (network(p, x) ** 3).sum()


@pytest.mark.parametrize("kind", KINDS)
def test_jvp(kind: str) -> None:
    ours, truth, p, x, v = case(kind)
    for network_p in (lambda f: jvp(lambda x: f(p, x), (x,), (v,)), lambda f: jvp(lambda p: f(p, x), (p,), (p,))):
        assert_agrees(network_p(ours), network_p(truth), SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_forward_mode_without_functorch(kind: str) -> None:
    ours, truth, p, x, v = case(kind)
    with forward_ad.dual_level():
        found, wanted = (forward_ad.unpack_dual(f(p, forward_ad.make_dual(x, v))).tangent for f in (ours, truth))
    assert_agrees(found, wanted, SAME_FUNCTION_F64)
    assert bool(found.abs().sum() > 0)


@pytest.mark.parametrize("kind", KINDS)
def test_vmap_over_rows_weights_and_lengths(kind: str) -> None:
    ours, truth, p, x, _ = case(kind)
    assert_agrees(vmap(lambda row: ours(p, row[None])[0])(x), truth(p, x), SAME_FUNCTION_F64)
    ensemble = {name: torch.stack([value, 2 * value]) for name, value in p.items()}
    expected = torch.stack([truth(p, x), truth({name: 2 * value for name, value in p.items()}, x)])
    assert_agrees(vmap(ours, (0, None))(ensemble, x), expected, SAME_FUNCTION_F64)
    layer = getattr(recurra.nn, kind)(IN, H, batch_first=True, dtype=torch.float64)
    lengths = torch.tensor([1, 3])
    each = vmap(lambda row, n: layer(row[None], lengths=n[None])[0][0])(x, lengths)
    assert_agrees(each, layer(x, lengths=lengths)[0], SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_per_sample_gradients(kind: str) -> None:
    ours, truth, p, x, _ = case(kind)
    found, wanted = (vmap(grad(lambda p, row, f=f: cubed(f)(p, row[None])), (None, 0))(p, x) for f in (ours, truth))
    assert_agrees(list(found.values()), list(wanted.values()), SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_hessian(kind: str) -> None:
    ours, truth, p, x, _ = case(kind)
    assert_agrees(hessian(cubed(ours), 1)(p, x), hessian(cubed(truth), 1)(p, x), HIGHER_DERIVATIVE_F64)
    found, wanted = (hessian(cubed(f))(p, x)["weight_hh_l0"]["weight_ih_l0"] for f in (ours, truth))
    assert_agrees(found, wanted, HIGHER_DERIVATIVE_F64)


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("backend", ["torch", "reference"])
@pytest.mark.parametrize("kind", KINDS)
def test_third_derivatives_of_input_and_weights(kind: str, backend: str, ragged: bool) -> None:
    _, truth, p, x, _ = case(kind)
    layer = getattr(recurra.nn, kind)(IN, H, batch_first=True, dtype=torch.float64, backend=backend)
    lengths = torch.tensor([2, 3]) if ragged else None
    valid = (torch.arange(T) < torch.tensor([2 if ragged else T, 3])[:, None])[..., None]

    def third(network: Network) -> tuple[torch.Tensor, ...]:
        y = x.clone().requires_grad_()
        q = {name: value.clone().requires_grad_() for name, value in p.items()}
        wanted = [y, *q.values()]
        first = torch.autograd.grad((network(q, y) ** 3).sum(), wanted, create_graph=True)
        second = torch.autograd.grad(sum((a**2).sum() for a in first), wanted, create_graph=True)
        return torch.autograd.grad(sum((a**2).sum() for a in second), wanted)

    found = third(lambda q, y: functional_call(layer, q, (y,), {"lengths": lengths})[0])
    wanted = third(lambda q, y: torch.where(valid, truth(q, y), 0.0))
    assert_agrees(found, wanted, HIGHER_DERIVATIVE_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_third_derivatives_in_float32_through_the_fused_call(kind: str) -> None:
    """In float32 the LSTM reaches oneDNN, whose backward pass is another one; float64 by the equations is the truth."""
    _, truth, p, x, _ = case(kind)
    layer = getattr(recurra.nn, kind)(IN, H, batch_first=True, backend="torch")
    results = []
    for network, dtype in ((truth, torch.float64), (lambda q, y: functional_call(layer, q, (y,))[0], torch.float32)):
        y = x.to(dtype).requires_grad_()
        q = {name: value.to(dtype).requires_grad_() for name, value in p.items()}
        (first,) = torch.autograd.grad((network(q, y) ** 3).sum(), y, create_graph=True)
        (second,) = torch.autograd.grad((first**2).sum(), y, create_graph=True)
        results.append(torch.autograd.grad((second**2).sum(), [y, *q.values()]))
    for wanted, found in zip(*results, strict=True):
        torch.testing.assert_close(found.double(), wanted, rtol=2e-3, atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_compile_without_a_graph_break(kind: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, 2, batch_first=True, bidirectional=True, dtype=torch.float64)
    x = torch.randn(B, T, IN, dtype=torch.float64)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    found, wanted = (run(x, lengths=torch.tensor([3, 1]))[0] for run in (compiled, layer))
    assert_agrees(found, wanted, SAME_FUNCTION_F64)
    parameters = list(layer.parameters())
    gradients = [torch.autograd.grad(y.square().sum(), parameters) for y in (found, wanted)]
    assert_agrees(gradients[0], gradients[1], SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_under_autocast_layers_and_cells_compute_in_the_type_of_their_weights(kind: str) -> None:
    # expected: the same call without autocast, of the input as bfloat16 rounds it
    layer = getattr(recurra.nn, kind)(IN, H, batch_first=True)
    cell = getattr(recurra.nn, f"{kind}Cell")(IN, H)
    x = torch.randn(B, T, IN)
    for given in (x, x.bfloat16()):
        for arguments in ({}, {"lengths": [3, 0]}):
            y, _ = layer(given.float(), **arguments)
            wanted = torch.autograd.grad(y.sum(), list(layer.parameters()))
            with torch.autocast("cpu", torch.bfloat16):
                found, _ = layer(given, **arguments)
            assert torch.equal(found, y)
            gradients = torch.autograd.grad(found.sum(), list(layer.parameters()))
            assert all(torch.equal(a, b) for a, b in zip(gradients, wanted, strict=True))
        with torch.autocast("cpu", torch.bfloat16):
            after = cell(given[:, 0])
        assert torch.equal(after[0], cell(given[:, 0].float())[0])


def test_a_packed_sequence_is_refused_by_name_under_compile_and_export() -> None:
    torch._dynamo.reset()
    layer = recurra.nn.GRU(IN, H).eval()
    packed = torch.nn.utils.rnn.pack_padded_sequence(torch.randn(T, 2, IN), [T, 2])
    for run in (
        lambda: torch.compile(layer, fullgraph=True, backend="eager")(packed),
        lambda: torch.export.export(layer, (packed,)),
    ):
        with pytest.raises(Exception, match="a PackedSequence cannot be compiled or exported"):
            run()
