"""The plain recurrent layer: by hand in numpy, and derivatives by finite differences."""

import numpy as np
import pytest
import torch

from recurra.kernels import Stack, Weights, rnn
from tests.tolerances import SAME_FUNCTION_F64, assert_agrees

IN, H, B, T = 2, 3, 2, 3


def random_weights(inputs: int = IN, bias: bool = True) -> Weights:
    """Random weights of one layer in float64."""
    shapes = [(1 * H, inputs), (1 * H, H), *([(1 * H,)] * 2 if bias else [])]
    return Weights(*(torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes))


def by_hand(x: np.ndarray, state: tuple[np.ndarray, ...], w: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Y(t) = phi(X(t) W_x + Y(t-1) W_y + b), equation 15-2 with phi = tanh."""
    W_x, W_y, b = w[0].T, w[1].T, w[2] + w[3]
    return (np.tanh(x @ W_x + state[0] @ W_y + b),)


@pytest.mark.parametrize("backend", ["reference", "torch"])
def test_a_step_is_the_equation(backend: str) -> None:
    w = random_weights()
    x, state = torch.randn(B, IN, dtype=torch.float64), (torch.randn(B, H, dtype=torch.float64),)
    expected = by_hand(x.numpy(), tuple(part.numpy() for part in state), [part.detach().numpy() for part in w[:4]])
    actual = rnn.cell(x, state, w, backend=backend)
    assert_agrees([part.detach() for part in actual], [torch.from_numpy(part) for part in expected], SAME_FUNCTION_F64)


def test_a_sequence_is_the_equation_step_by_step() -> None:
    w = random_weights()
    x, state = torch.randn(T, B, IN, dtype=torch.float64), (torch.randn(1, B, H, dtype=torch.float64),)
    y, last = rnn.sequence(x, state, [w], backend="reference")
    now = tuple(part[0].numpy() for part in state)
    for t in range(T):
        now = by_hand(x[t].numpy(), now, [part.detach().numpy() for part in w[:4]])
        assert_agrees(y[t].detach(), torch.from_numpy(now[0]), SAME_FUNCTION_F64)
    assert_agrees([part[0].detach() for part in last], [torch.from_numpy(part) for part in now], SAME_FUNCTION_F64)


@pytest.mark.parametrize("lengths", [None, [3, 0]], ids=["full", "ragged"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_first_and_second_derivatives(bidirectional: bool, lengths: list[int] | None) -> None:
    torch.manual_seed(0)
    directions = 2 if bidirectional else 1
    weights = [random_weights(IN if k < directions else H * directions) for k in range(2 * directions)]
    flat = [part for w in weights for part in w[:4]]
    x = torch.randn(T, B, IN, dtype=torch.float64, requires_grad=True)
    state = [torch.randn(2 * directions, B, H, dtype=torch.float64, requires_grad=True) for _ in range(1)]

    def run(x: torch.Tensor, *rest: torch.Tensor) -> tuple[torch.Tensor, ...]:
        state, flat = rest[:1], rest[1:]
        ws = [Weights(*flat[k : k + 4]) for k in range(0, len(flat), 4)]
        given = None if lengths is None else torch.tensor(lengths)
        y, last = rnn.sequence(x, state, ws, stack=Stack(2, bidirectional), lengths=given, backend="reference")
        return (y, *last)

    assert torch.autograd.gradcheck(run, (x, *state, *flat), fast_mode=True)
    assert torch.autograd.gradgradcheck(run, (x, *state, *flat), fast_mode=True)
