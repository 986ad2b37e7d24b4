"""The activations phi of equations 15-1 and 15-2: ONNX's list by name, or any callable.

Names are read without regard to case, `_` and `-`, so "leaky_relu" and ONNX's "LeakyRelu" are one.
alpha and beta are ONNX's defaults; for other values give a callable.

Source: ONNX operator RNN, attribute `activations`.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import TypeAlias

import torch
from torch import Tensor

from recurra.errors import ConfigError, ShapeError

Activation: TypeAlias = str | Callable[[Tensor], Tensor]


def _affine(x: Tensor) -> Tensor:
    return x


def _hard_sigmoid(x: Tensor) -> Tensor:
    return (0.2 * x + 0.5).clamp(0.0, 1.0)


def _thresholded_relu(x: Tensor) -> Tensor:
    return torch.where(x > 1.0, x, torch.zeros_like(x))


def _softsign(x: Tensor) -> Tensor:
    return x / (1.0 + x.abs())


def _softplus(x: Tensor) -> Tensor:
    return torch.logaddexp(x, torch.zeros_like(x))


ACTIVATIONS = MappingProxyType(
    {
        "tanh": torch.tanh,
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "affine": _affine,
        "leaky_relu": torch.nn.functional.leaky_relu,
        "thresholded_relu": _thresholded_relu,
        "scaled_tanh": torch.tanh,
        "hard_sigmoid": _hard_sigmoid,
        "elu": torch.nn.functional.elu,
        "softsign": _softsign,
        "softplus": _softplus,
    }
)
"""Every activation known by name, with ONNX's default alpha and beta (affine: x; scaled_tanh: tanh x)."""

_BY_PLAIN_NAME = {name.replace("_", ""): name for name in ACTIVATIONS}
_NAME_OF: dict[object, str] = {torch.tanh: "tanh", torch.relu: "relu", torch.nn.functional.relu: "relu"}


def canonical_name(activation: Activation) -> str | None:
    """The name in `ACTIVATIONS`, or None for a callable that is not one of them.

    Raises:
        ConfigError: if a name is unknown, or what was given is neither a name nor callable.
    """
    if isinstance(activation, str):
        name = _BY_PLAIN_NAME.get(activation.lower().replace("_", "").replace("-", ""))
        if name is None:
            raise ConfigError(
                f"Unknown nonlinearity '{activation}'. Select from {', '.join(ACTIVATIONS)}, or give a callable."
            )
        return name
    if not callable(activation):
        raise ConfigError(f"nonlinearity should be a name or a callable, got: {type(activation).__name__}")
    try:
        return _NAME_OF.get(activation)
    except TypeError:  # a callable without a hash
        return None


def resolve_activation(activation: Activation) -> Callable[[Tensor], Tensor]:
    """The function phi of a name or callable; a callable is held to keep the shape it is given.

    Raises:
        ConfigError: if a name is unknown, or what was given is neither a name nor callable.
    """
    name = canonical_name(activation)
    if name is not None:
        return ACTIVATIONS[name]
    assert not isinstance(activation, str)
    phi = activation

    def checked(x: Tensor) -> Tensor:
        y = phi(x)
        if y.shape != x.shape:
            raise ShapeError(f"the nonlinearity must keep its input's shape {tuple(x.shape)}, got {tuple(y.shape)}")
        return y

    return checked
