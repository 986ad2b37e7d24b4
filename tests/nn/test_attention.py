"""Attention against the plain formulas of its papers, written out one query and one key at a time."""

from collections.abc import Callable

import pytest
import torch
from torch.func import functional_call, grad, jvp, vmap

import recurra.nn
from recurra.errors import ConfigError, DeviceError, DtypeError, ShapeError
from tests.tolerances import EXACT, SAME_FUNCTION_F64, assert_agrees

pytestmark = pytest.mark.filterwarnings(r"ignore:.torch\.jit\.script. is deprecated:DeprecationWarning")

B, TQ, TK, Q, K, A, V = 3, 4, 5, 6, 7, 8, 2
LENGTHS = (5, 0, 2)
NAN = float("nan")
KINDS = ("additive", "additive_bias", "general", "general_scaled", "dot", "dot_scaled")


def case(kind: str, dtype: torch.dtype = torch.float64) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """An attention, queries and keys."""
    torch.manual_seed(4)
    width = Q if kind.startswith("dot") else K
    if kind.startswith("additive"):
        attention = recurra.nn.AdditiveAttention(Q, K, A, bias=kind.endswith("bias"), dtype=dtype)
    else:
        score, _, scaled = kind.partition("_")
        attention = recurra.nn.MultiplicativeAttention(Q, width, score=score, scaled=bool(scaled), dtype=dtype)
    return attention, torch.randn(B, TQ, Q, dtype=dtype), torch.randn(B, TK, width, dtype=dtype)


def score(kind: str, p: dict[str, torch.Tensor], q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    """Bahdanau et al. 2015, appendix A.1.2; Luong et al. 2015, section 3.1."""
    if kind.startswith("additive"):
        return p["v.weight"][0] @ torch.tanh(p["W.weight"] @ q + p["U.weight"] @ k + p.get("W.bias", 0.0))
    product = q @ p["W.weight"] @ k if kind.startswith("general") else q @ k
    return product / Q**0.5 if kind.endswith("scaled") else product


def by_hand(
    kind: str, p: dict[str, torch.Tensor], query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, seen
) -> tuple[torch.Tensor, torch.Tensor]:
    """One row after the other, one query after the other, over the keys that may be seen; `seen` is [B][Tq][Tk]."""
    context, weights = query.new_zeros(B, TQ, values.shape[-1]), query.new_zeros(B, TQ, TK)
    for b, t in torch.cartesian_prod(torch.arange(B), torch.arange(TQ)).tolist():
        may = [k for k in range(TK) if seen[b][t][k]]
        e = [score(kind, p, query[b, t], keys[b, k]).exp() for k in may]
        for k, e_k in zip(may, e, strict=True):
            weights[b, t, k] = e_k / sum(e)
            context[b, t] += e_k / sum(e) * values[b, k]
    return context, weights


def seen_by_lengths() -> torch.Tensor:
    return (torch.arange(TK) < torch.tensor(LENGTHS)[:, None])[:, None].expand(B, TQ, TK)


@pytest.mark.parametrize("masked", ["all", "lengths", "mask", "mask_each_query", "both"])
@pytest.mark.parametrize("kind", KINDS)
def test_values_and_gradients_are_those_of_the_formulas(kind: str, masked: str) -> None:
    attention, query, keys = case(kind)
    values = torch.randn(B, TK, V, dtype=torch.float64)
    each = torch.rand(B, TQ, TK) < 0.6
    each[1, 2] = False
    seen, given = {
        "all": (torch.ones(B, TQ, TK), {}),
        "lengths": (seen_by_lengths(), {"lengths": LENGTHS}),
        "mask": (each[:, :1].expand(B, TQ, TK), {"mask": each[:, 0]}),
        "mask_each_query": (each, {"mask": each}),
        "both": (each & seen_by_lengths(), {"mask": each, "lengths": torch.tensor(LENGTHS)}),
    }[masked]
    parts = [part.requires_grad_() for part in (query, keys, values)]
    found = attention(*parts, **given)
    wanted = by_hand(kind, dict(attention.named_parameters()), *parts, seen.tolist())
    assert_agrees(found, wanted, SAME_FUNCTION_F64)
    sources = [*parts, *attention.parameters()]
    mix = [torch.randn_like(part) for part in found]
    gradients = [
        torch.autograd.grad(sum((part * m).sum() for part, m in zip(result, mix, strict=True)), sources)
        for result in (found, wanted)
    ]
    assert_agrees(gradients[0], gradients[1], SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_gradcheck_twice_with_a_row_that_sees_nothing(kind: str) -> None:
    attention, query, keys = case(kind)
    names = [name for name, _ in attention.named_parameters()]
    inputs = [part[:, :2].detach().requires_grad_() for part in (query, keys)]
    weights = [part.detach().clone().requires_grad_() for part in attention.parameters()]

    def run(query: torch.Tensor, keys: torch.Tensor, *weights: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return functional_call(
            attention, dict(zip(names, weights, strict=True)), (query, keys), {"lengths": torch.tensor([2, 0, 1])}
        )

    assert torch.autograd.gradcheck(run, (*inputs, *weights), fast_mode=True)
    assert torch.autograd.gradgradcheck(run, (*inputs, *weights), fast_mode=True)


@pytest.mark.parametrize("kind", KINDS)
def test_masked_keys_reach_nothing_whatever_they_hold(kind: str) -> None:
    """The oracle is the same call with zeros in their place."""
    attention, query, keys = case(kind)
    values = torch.randn(B, TK, V, dtype=torch.float64)
    hidden = ~seen_by_lengths()[:, 0, :, None]
    results = []
    for filling in (0.0, NAN, float("inf")):
        q = query.clone().requires_grad_()
        k, v = (part.masked_fill(hidden, filling).requires_grad_() for part in (keys, values))
        found = attention(q, k, v, lengths=LENGTHS)
        gradients = torch.autograd.grad(sum(part.square().sum() for part in found), [q, k, v, *attention.parameters()])
        results.append((found, gradients))
    for result in results[1:]:
        assert_agrees(result, results[0], EXACT)
    (context, weights), (dq, dk, dv, *_) = results[1]
    for part in (context[1], weights[1], dq[1], dk[1], dv[1], dk[2, 2:], dv[2, 2:]):
        assert torch.equal(part, torch.zeros_like(part))
    assert_agrees(weights[[0, 2]].sum(-1), torch.ones(2, TQ, dtype=torch.float64), SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_step_by_step_over_projected_keys_equals_the_whole_call(kind: str) -> None:
    attention, query, keys = case(kind)
    context, weights = attention(query, keys, lengths=LENGTHS)
    memory = attention.project(keys, lengths=LENGTHS)
    steps = [attention(query[:, t], memory) for t in range(TQ)]
    assert_agrees(torch.stack([step[0] for step in steps], 1), context, SAME_FUNCTION_F64)
    assert_agrees(torch.stack([step[1] for step in steps], 1), weights, SAME_FUNCTION_F64)
    assert_agrees(attention(query, memory), (context, weights), EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_keys_does_not_matter(kind: str) -> None:
    """Permuted keys give permuted weights and the same context; masks move with their keys."""
    attention, query, keys = case(kind)
    mask = torch.rand(B, TK) < 0.7
    order = torch.tensor([3, 0, 4, 1, 2])
    context, weights = attention(query, keys, mask=mask)
    moved, weights_moved = attention(query, keys[:, order], mask=mask[:, order])
    assert_agrees(moved, context, SAME_FUNCTION_F64)
    assert_agrees(weights_moved, weights[..., order], SAME_FUNCTION_F64)


def test_large_scores_and_no_keys() -> None:
    attention = recurra.nn.MultiplicativeAttention(1, score="dot")
    keys = torch.tensor([[[1.0], [-1.0], [7.0]]])
    context, weights = attention(torch.tensor([[3e38]]), keys, lengths=[2])
    assert weights.tolist() == [[1.0, 0.0, 0.0]]
    assert context.tolist() == [[1.0]]
    context, weights = attention(torch.ones(2, 3, 1), torch.ones(2, 0, 1))
    assert torch.equal(context, torch.zeros(2, 3, 1))
    assert weights.shape == (2, 3, 0)
    assert attention(torch.ones(0, 1), torch.ones(0, 3, 1), lengths=[])[0].shape == (0, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_and_autocast_stay_near_float64(kind: str) -> None:
    attention, query, keys = case(kind)
    wanted = attention(query, keys, lengths=LENGTHS)
    attention.float()
    found = attention(query.float(), keys.float(), lengths=LENGTHS)
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=1e-5, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        for q in (query.float(), query.bfloat16()):
            context, _ = attention(q, keys.float(), lengths=LENGTHS)
            torch.testing.assert_close(context.double(), wanted[0], rtol=0.1, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_compile_without_a_graph_break_and_export_with_free_sizes(kind: str) -> None:
    attention, query, keys = case(kind)
    lengths = torch.tensor(LENGTHS)
    torch._dynamo.reset()  # each kind compiles afresh
    compiled = torch.compile(attention, fullgraph=True, backend="aot_eager")
    results = [run(query, keys, lengths=lengths) for run in (compiled, attention)]
    assert_agrees(results[0], results[1], SAME_FUNCTION_F64)
    if list(attention.parameters()):
        both = [torch.autograd.grad(r[0].square().sum(), list(attention.parameters())) for r in results]
        assert_agrees(both[0], both[1], SAME_FUNCTION_F64)
    with torch.no_grad():
        memory = attention.project(keys, lengths=lengths)
    assert_agrees(compiled(query[:, 0], memory), attention(query[:, 0], memory), SAME_FUNCTION_F64)
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    shapes = {"query": free, "keys": free, "lengths": {0: torch.export.Dim.DYNAMIC}}
    program = torch.export.export(attention, (query, keys), {"lengths": lengths}, dynamic_shapes=shapes).module()
    for rows, queries, count in ((B, TQ, TK), (5, 2, 9)):
        q = torch.randn(rows, queries, Q, dtype=torch.float64)
        k = torch.randn(rows, count, keys.shape[-1], dtype=torch.float64)
        n = torch.arange(rows)
        assert_agrees(program(q, k, lengths=n), attention(q, k, lengths=n), SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_transforms(kind: str) -> None:
    """vmap against the whole batch; gradients of single rows and jvp against reverse mode."""
    attention, query, keys = case(kind)
    lengths = torch.tensor(LENGTHS)

    def one(q: torch.Tensor, k: torch.Tensor, n: torch.Tensor) -> torch.Tensor:
        return attention(q[None], k[None], lengths=n[None])[0][0]

    assert_agrees(vmap(one)(query, keys, lengths), attention(query, keys, lengths=lengths)[0], SAME_FUNCTION_F64)
    rows = vmap(grad(lambda k, q, n: one(q, k, n).square().sum()))(keys, query, lengths)
    whole = keys.clone().requires_grad_()
    (wanted,) = torch.autograd.grad(attention(query, whole, lengths=lengths)[0].square().sum(), whole)
    assert_agrees(rows, wanted, SAME_FUNCTION_F64)
    tangent = torch.randn_like(keys)
    _, moved = jvp(lambda k: attention(query, k, lengths=lengths)[0].square().sum(), (keys,), (tangent,))
    assert_agrees(moved, (wanted * tangent).sum(), SAME_FUNCTION_F64)


def refusals() -> list[tuple[Callable[[torch.nn.Module, torch.Tensor, torch.Tensor], object], type[Exception], str]]:
    return [
        (lambda a, q, k: a(q[..., :2], k), ShapeError, "expected query of width 6, got 2"),
        (lambda a, q, k: a(q, k[..., :2]), ShapeError, "expected keys of width 7, got 2"),
        (lambda a, q, k: a(q[0, 0], k), ShapeError, "expected query to be 2D or 3D, got 1D"),
        (lambda a, q, k: a(q, k[0]), ShapeError, "expected keys to be 3D, got 2D"),
        (lambda a, q, k: a(q[:2], k), ShapeError, "2 rows of queries beside 3 rows of keys"),
        (lambda a, q, k: a(q, k, k[:, :2]), ShapeError, "one value for each key"),
        (lambda a, q, k: a(q.float(), k), DtypeError, "query is torch.float32, expected torch.float64"),
        (lambda a, q, k: a(q, k.float()), DtypeError, "keys is torch.float32"),
        (lambda a, q, k: a(q, k, k.float()), DtypeError, "values is torch.float32"),
        (lambda a, q, k: a(q.numpy(), k), TypeError, "query should be a tensor, got: ndarray"),
        (lambda a, q, k: a(q, k.to("meta")), DeviceError, "keys is on meta"),
        (lambda a, q, k: a(q, k, lengths=[1, 2]), ShapeError, "one length for each of the 3 rows"),
        (lambda a, q, k: a(q, k, lengths=[1, 2, 6]), ShapeError, r"lie in 0..5 .* got 6 for row 2"),
        (lambda a, q, k: a(q, k, mask=torch.ones(B, TK)), DtypeError, "mask should be of type bool"),
        (lambda a, q, k: a(q, k, mask=torch.ones(B, 2).bool()), ShapeError, r"expected a mask \[3, 5\] or"),
        (lambda a, q, k: a(q, k, mask=torch.ones(B, 2, TK).bool()), ShapeError, "a mask for 2 queries a row, got 4"),
        (lambda a, q, k: a(q, a.project(k), lengths=[1, 1, 1]), ConfigError, "to project"),
        (lambda a, q, k: a(q, a.project(k), k), ConfigError, "to project"),
    ]


@pytest.mark.parametrize(("call", "error", "message"), refusals())
def test_what_does_not_fit_is_refused(call, error: type[Exception], message: str) -> None:
    attention, query, keys = case("additive")
    with pytest.raises(error, match=message):
        call(attention, query, keys)


def test_wrong_arguments_are_refused_at_construction() -> None:
    with pytest.raises(ConfigError, match="key_size must be greater than zero"):
        recurra.nn.AdditiveAttention(3, 0, 4)
    with pytest.raises(TypeError, match=r"attention_size should be of type int, got: float"):
        recurra.nn.AdditiveAttention(3, 4, 5.0)
    with pytest.raises(ConfigError, match="score should be 'general' or 'dot', got: 'concat'"):
        recurra.nn.MultiplicativeAttention(3, score="concat")
    with pytest.raises(ConfigError, match="one width, got 3 and 4"):
        recurra.nn.MultiplicativeAttention(3, 4, score="dot")


def test_an_attention_shows_what_it_is() -> None:
    assert repr(recurra.nn.MultiplicativeAttention(3, score="dot", scaled=True)) == (
        "MultiplicativeAttention(3, score='dot', scaled=True)"
    )
    assert sorted(recurra.nn.AdditiveAttention(2, 3, 4, bias=True).state_dict()) == [
        "U.weight",
        "W.bias",
        "W.weight",
        "v.weight",
    ]
