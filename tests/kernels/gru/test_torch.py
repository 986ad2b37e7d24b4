"""The gated recurrent unit by PyTorch's fused call against the equations: ragged, packed, strided, refused."""

import pytest
import torch

from recurra.errors import BackendUnavailable
from recurra.kernels import Options, Stack, Weights, gru
from tests.tolerances import SAME_FUNCTION_F64, assert_agrees

IN, H, B, T = 3, 5, 4, 6


def random_call(layers: int, directions: int) -> tuple[torch.Tensor, tuple[torch.Tensor, ...], list[Weights]]:
    """Input [T, B, IN], state and weights in float64."""
    torch.manual_seed(3)
    weights = []
    for k in range(layers * directions):
        inputs = IN if k < directions else H * directions
        shapes = ((3 * H, inputs), (3 * H, H), (3 * H,), (3 * H,))
        weights.append(Weights(*(torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes)))
    state = tuple(torch.randn(layers * directions, B, H, dtype=torch.float64) for _ in range(1))
    return torch.randn(T, B, IN, dtype=torch.float64, requires_grad=True), state, weights


@pytest.mark.parametrize("lengths", [None, [6, 6, 6, 6], [2, 6, 1, 5], [0, 3, 0, 6], [0, 0, 0, 0]], ids=str)
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (2, True)])
def test_padded_and_ragged_rows(layers: int, bidirectional: bool, batch_first: bool, lengths: list[int] | None) -> None:
    x, state, weights = random_call(layers, 2 if bidirectional else 1)
    x = x.transpose(0, 1) if batch_first else x
    stack = Stack(layers, bidirectional, batch_first)
    given = None if lengths is None else torch.tensor(lengths)
    results = []
    for backend in ("torch", "reference"):
        y, last = gru.sequence(x, state, weights, stack=stack, lengths=given, backend=backend)
        loss = y.square().sum() + sum(part.sin().sum() for part in last)
        wanted = [x, *(part for w in weights for part in w[:4])]
        gradients = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
        results.append((y, *last, *gradients))
    assert_agrees(results[0], results[1], SAME_FUNCTION_F64)


def test_packed_rows() -> None:
    x, state, weights = random_call(2, 2)
    lengths, batch_sizes = torch.tensor([6, 4, 4, 1]), torch.tensor([4, 3, 3, 3, 1, 1])
    data = torch.cat([x[t, :n] for t, n in enumerate(batch_sizes.tolist())])
    stack = Stack(2, bidirectional=True)
    expected, last = gru.sequence(x, state, weights, stack=stack, lengths=lengths, backend="reference")
    expected = torch.cat([expected[t, :n] for t, n in enumerate(batch_sizes.tolist())])
    for backend in ("torch", "reference"):
        actual = gru.sequence(data, state, weights, stack=stack, batch_sizes=batch_sizes, backend=backend)
        assert_agrees(actual, (expected, last), SAME_FUNCTION_F64)


def test_strided_input_and_state() -> None:
    x, state, weights = random_call(1, 1)
    wide = torch.randn(T, B, IN, 2, dtype=torch.float64)
    wide[..., 0] = x.detach()
    spread = tuple(torch.stack([part, part], -1)[..., 0] for part in state)
    assert not wide[..., 0].is_contiguous()
    assert_agrees(gru.sequence(wide[..., 0], spread, weights), gru.sequence(x, state, weights), SAME_FUNCTION_F64)


def test_what_it_cannot_serve_is_refused_and_auto_goes_on() -> None:
    x, state, weights = random_call(1, 1)
    with pytest.raises(BackendUnavailable, match="T = 0"):
        gru.sequence(x[:0], state, weights, backend="torch")
    assert gru.explain(x[:0], state, weights).reasons["torch"]
    with pytest.raises(BackendUnavailable, match="a transform"):
        torch.func.grad(lambda x: gru.sequence(x, state, weights, backend="torch")[0].sum())(x)


@pytest.mark.parametrize("way", ["full", "ragged", "packed"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_in_reverse(batch_first: bool, way: str) -> None:
    """The equations run backwards; the fused call runs over reversed rows."""
    x, state, weights = random_call(2, 1)
    lengths, sizes = (torch.tensor([5, 2, 0, 6]) if way == "ragged" else None), None
    x = x.transpose(0, 1) if batch_first else x
    if way == "packed":
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor([6, 4, 4, 1]), batch_first)
        x, sizes = packed.data, packed.batch_sizes
    results = []
    for backend in ("torch", "reference"):
        y, last = gru.sequence(
            x,
            state,
            weights,
            stack=Stack(2, batch_first=batch_first),
            lengths=lengths,
            batch_sizes=sizes,
            options=Options(reverse=True),
            backend=backend,
        )
        results.append((y.detach(), *(part.detach() for part in last)))
    assert_agrees(results[0], results[1], SAME_FUNCTION_F64)
