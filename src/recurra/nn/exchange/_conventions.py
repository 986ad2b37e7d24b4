"""What the ONNX operators RNN, LSTM and GRU call things, and the package onnx where it is there."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from recurra.errors import MissingExtraError

ORDERS: Mapping[str, tuple[int, ...]] = MappingProxyType({"RNN": (0,), "LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2)})
"""Which of our gates stands where in ONNX: LSTM i o f c, GRU z r h."""


class Activation(NamedTuple):
    """An activation of ONNX's list, with the names as `recurra.kernels.ACTIVATIONS` has them.

    Attributes:
        name: "tanh", "leaky_relu", ...
        alpha, beta: None where the function has none.
    """

    name: str
    alpha: float | None = None
    beta: float | None = None


_LISTED = {
    "Tanh": Activation("tanh"),
    "Relu": Activation("relu"),
    "Sigmoid": Activation("sigmoid"),
    "Affine": Activation("affine", 1.0, 0.0),
    "LeakyRelu": Activation("leaky_relu", 0.01),
    "ThresholdedRelu": Activation("thresholded_relu", 1.0),
    "ScaledTanh": Activation("scaled_tanh", 1.0, 1.0),
    "HardSigmoid": Activation("hard_sigmoid", 0.2, 0.5),
    "Elu": Activation("elu", 1.0),
    "Softsign": Activation("softsign"),
    "Softplus": Activation("softplus"),
}

DEFAULTS: Mapping[str, Activation] = MappingProxyType({spelled.lower(): a for spelled, a in _LISTED.items()})
"""ONNX's name in lower case -> the activation with its default alpha and beta; ONNX reads names without their case."""

SPELLED: Mapping[str, str] = MappingProxyType({a.name: spelled for spelled, a in _LISTED.items()})
"""Our name -> ONNX's."""

USUAL: Mapping[str, tuple[Activation, ...]] = MappingProxyType(
    {
        "RNN": (DEFAULTS["tanh"],),
        "LSTM": (DEFAULTS["sigmoid"], DEFAULTS["tanh"], DEFAULTS["tanh"]),
        "GRU": (DEFAULTS["sigmoid"], DEFAULTS["tanh"]),
    }
)
"""The activations of an operator that names none: f, g, h of its equations."""


def import_onnx() -> Any:
    """The package onnx, imported only when it is needed.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("ONNX needs onnx; install it with: pip install recurra[onnx]") from error
    return onnx
