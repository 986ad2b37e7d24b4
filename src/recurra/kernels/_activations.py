"""The activations phi of equations 15-1 and 15-2: ONNX's list by name, with alpha and beta, or any callable.

Names are read without regard to case, `_` and `-`, so "leaky_relu" and ONNX's "LeakyRelu" are one.

Source: ONNX operators RNN, GRU and LSTM, attributes `activations`, `activation_alpha` and `activation_beta`.
"""

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import torch
from torch import Tensor

from recurra.errors import ConfigError, ShapeError


def _affine(x: Tensor, alpha: float = 1.0, beta: float = 0.0) -> Tensor:
    return alpha * x + beta


def _leaky_relu(x: Tensor, alpha: float = 0.01) -> Tensor:
    return torch.nn.functional.leaky_relu(x, alpha)


def _thresholded_relu(x: Tensor, alpha: float = 1.0) -> Tensor:
    return torch.where(x > alpha, x, torch.zeros_like(x))


def _scaled_tanh(x: Tensor, alpha: float = 1.0, beta: float = 1.0) -> Tensor:
    return alpha * torch.tanh(beta * x)


def _hard_sigmoid(x: Tensor, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    return (alpha * x + beta).clamp(0.0, 1.0)


def _elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    return torch.nn.functional.elu(x, alpha)


def _softsign(x: Tensor) -> Tensor:
    return x / (1.0 + x.abs())


def _softplus(x: Tensor) -> Tensor:
    return torch.logaddexp(x, torch.zeros_like(x))


ACTIVATIONS: Mapping[str, Callable[..., Tensor]] = MappingProxyType(
    {
        "tanh": torch.tanh,
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "affine": _affine,
        "leaky_relu": _leaky_relu,
        "thresholded_relu": _thresholded_relu,
        "scaled_tanh": _scaled_tanh,
        "hard_sigmoid": _hard_sigmoid,
        "elu": _elu,
        "softsign": _softsign,
        "softplus": _softplus,
    }
)
"""Every activation known by name; called with x alone, it takes ONNX's default alpha and beta."""

DEFAULTS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "affine": (1.0, 0.0),
        "leaky_relu": (0.01,),
        "thresholded_relu": (1.0,),
        "scaled_tanh": (1.0, 1.0),
        "hard_sigmoid": (0.2, 0.5),
        "elu": (1.0,),
    }
)
"""ONNX's default alpha, or alpha and beta, of the activations that have them."""

_BY_PLAIN_NAME = {name.replace("_", ""): name for name in ACTIVATIONS}
_NAME_OF: dict[object, str] = {
    torch.tanh: "tanh",
    torch.nn.functional.tanh: "tanh",
    torch.relu: "relu",
    torch.nn.functional.relu: "relu",
    torch.sigmoid: "sigmoid",
    torch.nn.functional.sigmoid: "sigmoid",
}


@dataclass(frozen=True)
class Activation:
    """An activation of ONNX's list, by name, with its numbers; it can be called.

    | name | phi(x) | alpha | beta |
    |---|---|---|---|
    | tanh, relu, sigmoid, softsign, softplus | tanh x, max(0, x), 1 / (1 + e^-x), x / (1 + abs x), log(1 + e^x) | | |
    | affine | alpha x + beta | 1 | 0 |
    | leaky_relu | x, alpha x below 0 | 0.01 | |
    | thresholded_relu | x above alpha, else 0 | 1 | |
    | scaled_tanh | alpha tanh(beta x) | 1 | 1 |
    | hard_sigmoid | alpha x + beta between 0 and 1 | 0.2 | 0.5 |
    | elu | x, alpha (e^x - 1) below 0 | 1 | |

    Args:
        name: of the list, in ONNX's spelling or ours.
        alpha, beta: ONNX's defaults where not given; None for a function that has none.

    Raises:
        ConfigError: (a ValueError) if the name is unknown, a number is not finite or given to a function without it.

    >>> Activation("HardSigmoid", alpha=0.25)
    Activation(name='hard_sigmoid', alpha=0.25, beta=0.5)
    """

    name: str
    alpha: float | None = None
    beta: float | None = None

    def __post_init__(self) -> None:
        name = _known(self.name)
        usual = DEFAULTS.get(name, ())
        object.__setattr__(self, "name", name)
        for k, which in enumerate(("alpha", "beta")):
            given = getattr(self, which)
            if given is None:
                object.__setattr__(self, which, usual[k] if k < len(usual) else None)
            elif k >= len(usual):
                raise ConfigError(f"the activation {name} has no {which}, got {which}={given!r}")
            elif isinstance(given, bool) or not isinstance(given, numbers.Real) or not math.isfinite(given):
                raise ConfigError(f"{which} of the activation {name} should be a finite number, got: {given!r}")
            else:
                object.__setattr__(self, which, float(given))

    @property
    def numbers(self) -> tuple[float, ...]:
        """alpha, alpha and beta, or neither: what the function takes besides x."""
        return tuple(number for number in (self.alpha, self.beta) if number is not None)

    @property
    def is_usual(self) -> bool:
        """Whether alpha and beta are ONNX's defaults."""
        return self.numbers == DEFAULTS.get(self.name, ())

    def __call__(self, x: Tensor) -> Tensor:
        """phi(x), element by element."""
        return ACTIVATIONS[self.name](x, *self.numbers)

    def __str__(self) -> str:
        return self.name if self.is_usual else repr(self)


Phi: TypeAlias = str | Activation | Callable[[Tensor], Tensor]
"""What may be given as an activation."""

Function: TypeAlias = Activation | Callable[[Tensor], Tensor]
"""An activation as the kernels take it: of the list, or any other callable."""


def _known(name: str, what: str = "nonlinearity") -> str:
    known = _BY_PLAIN_NAME.get(name.lower().replace("_", "").replace("-", "")) if isinstance(name, str) else None
    if known is None:
        raise ConfigError(f"Unknown {what} '{name}'. Select from {', '.join(ACTIVATIONS)}, or give a callable.")
    return known


def as_function(activation: Phi, what: str = "nonlinearity") -> Function:
    """An `Activation` for what is on ONNX's list; another callable as it is.

    Args:
        activation: a name, an `Activation` or a callable.
        what: it is called in a message.

    Raises:
        ConfigError: if a name is unknown, or what was given is neither a name nor callable.
    """
    if isinstance(activation, Activation):
        return activation
    if isinstance(activation, str):
        return Activation(_known(activation, what))
    if not callable(activation):
        raise ConfigError(f"{what} should be a name or a callable, got: {type(activation).__name__}")
    try:
        name = _NAME_OF.get(activation)
    except TypeError:  # a callable without a hash
        return activation
    return activation if name is None else Activation(name)


def resolve_activation(activation: Phi) -> Callable[[Tensor], Tensor]:
    """The function phi of a name or callable; a callable is held to keep the shape it is given.

    Raises:
        ConfigError: if a name is unknown, or what was given is neither a name nor callable.
    """
    phi = as_function(activation)
    if isinstance(phi, Activation):
        return ACTIVATIONS[phi.name] if phi.is_usual else phi

    def checked(x: Tensor) -> Tensor:
        y = phi(x)
        if y.shape != x.shape:
            raise ShapeError(f"the nonlinearity must keep its input's shape {tuple(x.shape)}, got {tuple(y.shape)}")
        return y

    return checked
