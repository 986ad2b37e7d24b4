"""The activations: ONNX's formulas in numpy are the truth; any order of derivative by gradcheck."""

import math

import numpy as np
import pytest
import torch

from recurra.errors import ConfigError
from recurra.kernels import ACTIVATIONS, resolve_activation
from tests.tolerances import SAME_FUNCTION_F64, assert_agrees

ONNX = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(0, x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "affine": lambda x: 1.0 * x + 0.0,
    "leaky_relu": lambda x: np.where(x >= 0, x, 0.01 * x),
    "thresholded_relu": lambda x: np.where(x > 1.0, x, 0),
    "scaled_tanh": lambda x: 1.0 * np.tanh(1.0 * x),
    "hard_sigmoid": lambda x: np.minimum(np.maximum(0.2 * x + 0.5, 0), 1),
    "elu": lambda x: np.where(x >= 0, x, 1.0 * (np.exp(np.minimum(x, 0)) - 1)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "softplus": lambda x: np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_are_onnxs(name: str) -> None:
    x = torch.linspace(-30, 30, 241, dtype=torch.float64)
    expected = torch.from_numpy(ONNX[name](x.numpy()))
    assert_agrees(resolve_activation(name)(x), expected, SAME_FUNCTION_F64)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives(name: str) -> None:
    x = torch.tensor([-3.3, -0.7, 0.3, 0.9, 1.4, 4.1], dtype=torch.float64, requires_grad=True)  # off the kinks
    phi = resolve_activation(name)
    assert torch.autograd.gradcheck(phi, x)
    assert torch.autograd.gradgradcheck(phi, x)


@pytest.mark.parametrize("spelling", ["HardSigmoid", "hard_sigmoid", "hard-sigmoid", "HARDSIGMOID"])
def test_names_are_read_without_regard_to_case_and_dashes(spelling: str) -> None:
    assert resolve_activation(spelling) is ACTIVATIONS["hard_sigmoid"]


def test_what_is_no_activation_is_refused() -> None:
    with pytest.raises(ConfigError, match="Unknown nonlinearity 'swish'"):
        resolve_activation("swish")
    with pytest.raises(ConfigError, match="got: float"):
        resolve_activation(math.pi)  # type: ignore[arg-type]


def test_a_callable_without_a_hash_serves() -> None:
    class Phi:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            return x.sin()

    x = torch.linspace(-1, 1, 5)
    assert torch.equal(resolve_activation(Phi())(x), x.sin())
