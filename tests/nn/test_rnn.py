"""RNN: the lecture's quantities, equation 15-2 by hand in numpy, and any activation."""

import numpy as np
import pytest
import torch

import recurra.nn
from recurra.kernels import ACTIVATIONS
from tests.tolerances import SAME_FUNCTION_F64, assert_agrees

IN, H, B, T = 3, 5, 4, 6


def by_hand(X: np.ndarray, W: np.ndarray, b: np.ndarray, phi) -> np.ndarray:
    """Y(t) = phi([X(t) Y(t-1)] W + b), outputs zero before the first step (equation 15-2, second line)."""
    Y = np.zeros((X.shape[1], b.shape[0]))
    outputs = []
    for X_t in X:
        Y = phi(np.concatenate([X_t, Y], axis=1) @ W + b)
        outputs.append(Y)
    return np.stack(outputs)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("backend", ["torch", "reference"])
def test_equation_15_2_by_hand_gives_the_output(backend: str, bias: bool) -> None:
    layer = recurra.nn.RNN(IN, H, bias=bias, backend=backend, dtype=torch.float64)
    assert layer.W_x.shape == (IN, H)
    assert layer.W_y.shape == (H, H)
    assert layer.W.shape == (IN + H, H)
    assert layer.b.shape == (H,)
    X = torch.randn(T, B, IN, dtype=torch.float64)
    expected = by_hand(X.numpy(), layer.W.detach().numpy(), layer.b.detach().numpy(), np.tanh)
    assert_agrees(layer(X)[0].detach(), torch.from_numpy(expected), SAME_FUNCTION_F64)


def test_both_lines_of_equation_15_2_agree_and_gradients_reach_the_parameters() -> None:
    layer = recurra.nn.RNN(IN, H, 2, bidirectional=True, dtype=torch.float64)
    X, Y = torch.randn(B, IN, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    first = X @ layer.W_x + Y @ layer.W_y + layer.b
    second = torch.cat([X, Y], 1) @ layer.W + layer.b
    assert_agrees(first, second, SAME_FUNCTION_F64)
    second.sum().backward()
    assert layer.weight_ih_l0.grad is not None
    assert layer.bias_hh_l0.grad is not None
    assert layer.weight_ih_l1.grad is None


def test_a_cell_shows_the_same_quantities() -> None:
    cell = recurra.nn.RNNCell(IN, H, nonlinearity="relu", dtype=torch.float64)
    X, Y = torch.randn(B, IN, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    assert_agrees(cell(X, Y), torch.relu(torch.cat([X, Y], 1) @ cell.W + cell.b), SAME_FUNCTION_F64)


@pytest.mark.parametrize(
    "phi",
    [
        *ACTIVATIONS,
        "LeakyRelu",
        torch.sin,
        torch.tanh,
        torch.nn.functional.silu,
        torch.nn.GELU(),
        lambda x: x / (1 + x * x),
    ],
    ids=str,
)
def test_any_activation_by_name_or_callable(phi: object) -> None:
    """By hand, from the layer's own W and b; the gradient by autograd through the hand-written loop."""
    layer = recurra.nn.RNN(IN, H, nonlinearity=phi, dtype=torch.float64)
    function = ACTIVATIONS["leaky_relu" if phi == "LeakyRelu" else phi] if isinstance(phi, str) else phi
    X = torch.randn(T, B, IN, dtype=torch.float64)
    Y, outputs = torch.zeros(B, H, dtype=torch.float64), []
    for X_t in X:
        Y = function(torch.cat([X_t, Y], 1) @ layer.W + layer.b)
        outputs.append(Y)
    expected = torch.stack(outputs)
    actual, last = layer(X)
    assert_agrees(actual, expected, SAME_FUNCTION_F64)
    assert_agrees(last[0], expected[-1], SAME_FUNCTION_F64)
    wanted = torch.autograd.grad(expected.square().sum(), list(layer.parameters()))
    found = torch.autograd.grad(actual.square().sum(), list(layer.parameters()))
    assert_agrees(found, wanted, SAME_FUNCTION_F64)


def test_an_activation_with_parameters_of_its_own_learns() -> None:
    layer = recurra.nn.RNN(IN, H, nonlinearity=torch.nn.PReLU())
    assert "nonlinearity.weight" in dict(layer.named_parameters())
    layer(torch.randn(T, B, IN))[0].sum().backward()
    assert layer.nonlinearity.weight.grad is not None
    start = layer.nonlinearity.weight.detach().clone()
    layer.reset_parameters()
    assert torch.equal(layer.nonlinearity.weight, start)


def test_a_callable_that_changes_the_shape_is_refused() -> None:
    layer = recurra.nn.RNN(IN, H, nonlinearity=lambda x: x.sum(0))
    with pytest.raises(recurra.errors.ShapeError, match="must keep its input's shape"):
        layer(torch.zeros(T, B, IN))


def test_repr_names_the_activation() -> None:
    assert repr(recurra.nn.RNN(IN, H, nonlinearity="relu")) == "RNN(3, 5, nonlinearity=relu)"
    assert repr(recurra.nn.RNNCell(IN, H, nonlinearity=torch.sin)) == "RNNCell(3, 5, nonlinearity=sin)"
    assert recurra.nn.RNN(IN, H, nonlinearity="relu").mode == "RNN_RELU"
    assert recurra.nn.RNN(IN, H).mode == "RNN_TANH"
