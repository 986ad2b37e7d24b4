"""The gated recurrent unit: by hand in numpy, and derivatives by finite differences."""

import numpy as np
import pytest
import torch

from recurra.errors import BackendUnavailable
from recurra.kernels import Options, Stack, Weights, gru
from tests.tolerances import SAME_FUNCTION_F64, assert_agrees

IN, H, B, T = 2, 3, 2, 3


def random_weights(inputs: int = IN, bias: bool = True) -> Weights:
    """Random weights of one layer in float64."""
    shapes = [(3 * H, inputs), (3 * H, H), *([(3 * H,)] * 2 if bias else [])]
    return Weights(*(torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes))


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def by_hand(x: np.ndarray, state: tuple[np.ndarray, ...], w: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Gate by gate, in the order r z n, reset after the product."""
    (h,) = state
    W, U, b_i, b_h = (list(part.reshape(3, H, *part.shape[1:])) for part in w)
    r, z = (sigmoid(x @ W[k].T + b_i[k] + h @ U[k].T + b_h[k]) for k in (0, 1))
    n = np.tanh(x @ W[2].T + b_i[2] + r * (h @ U[2].T + b_h[2]))
    return (z * h + (1 - z) * n,)


def by_hand_reset_before(x: np.ndarray, h: np.ndarray, w: list[np.ndarray]) -> np.ndarray:
    """Gate by gate, in the order r z n, reset before the product (ONNX, linear_before_reset = 0)."""
    W, U, b_i, b_h = (list(part.reshape(3, H, *part.shape[1:])) for part in w)
    r, z = (sigmoid(x @ W[k].T + b_i[k] + h @ U[k].T + b_h[k]) for k in (0, 1))
    n = np.tanh(x @ W[2].T + b_i[2] + (r * h) @ U[2].T + b_h[2])
    return z * h + (1 - z) * n


@pytest.mark.parametrize("backend", ["reference", "auto"])
def test_a_step_with_the_reset_before_the_product(backend: str) -> None:
    w = random_weights()
    x, h = torch.randn(B, IN, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    expected = by_hand_reset_before(x.numpy(), h.numpy(), [part.detach().numpy() for part in w[:4]])
    (actual,) = gru.cell(x, (h,), w, options=Options(reset_after=False), backend=backend)
    assert_agrees(actual.detach(), torch.from_numpy(expected), SAME_FUNCTION_F64)
    with pytest.raises(BackendUnavailable, match="reset gate after"):
        gru.cell(x, (h,), w, options=Options(reset_after=False), backend="torch")


@pytest.mark.parametrize("backend", ["reference", "torch"])
def test_a_step_is_the_equation(backend: str) -> None:
    w = random_weights()
    x, state = torch.randn(B, IN, dtype=torch.float64), (torch.randn(B, H, dtype=torch.float64),)
    expected = by_hand(x.numpy(), tuple(part.numpy() for part in state), [part.detach().numpy() for part in w[:4]])
    actual = gru.cell(x, state, w, backend=backend)
    assert_agrees([part.detach() for part in actual], [torch.from_numpy(part) for part in expected], SAME_FUNCTION_F64)


def test_a_sequence_is_the_equation_step_by_step() -> None:
    w = random_weights()
    x, state = torch.randn(T, B, IN, dtype=torch.float64), (torch.randn(1, B, H, dtype=torch.float64),)
    y, last = gru.sequence(x, state, [w], backend="reference")
    now = tuple(part[0].numpy() for part in state)
    for t in range(T):
        now = by_hand(x[t].numpy(), now, [part.detach().numpy() for part in w[:4]])
        assert_agrees(y[t].detach(), torch.from_numpy(now[0]), SAME_FUNCTION_F64)
    assert_agrees([part[0].detach() for part in last], [torch.from_numpy(part) for part in now], SAME_FUNCTION_F64)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("lengths", [None, [3, 0]], ids=["full", "ragged"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_first_and_second_derivatives(bidirectional: bool, lengths: list[int] | None, reset_after: bool) -> None:
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
        how = {"stack": Stack(2, bidirectional), "lengths": given, "options": Options(reset_after=reset_after)}
        y, last = gru.sequence(x, state, ws, backend="reference", **how)
        return (y, *last)

    assert torch.autograd.gradcheck(run, (x, *state, *flat), fast_mode=True)
    assert torch.autograd.gradgradcheck(run, (x, *state, *flat), fast_mode=True)
