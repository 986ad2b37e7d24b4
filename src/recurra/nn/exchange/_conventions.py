"""What the ONNX operators RNN, LSTM and GRU call things, and the package onnx where it is there."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from recurra.errors import MissingExtraError
from recurra.kernels import Activation

ORDERS: Mapping[str, tuple[int, ...]] = MappingProxyType({"RNN": (0,), "LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2)})
"""Which of our gates stands where in ONNX: LSTM i o f c, GRU z r h."""

PEEPHOLES = (0, 2, 1)
"""Which of our peepholes i f o stands where in ONNX: i o f."""


_LISTED = {
    "Tanh": Activation("tanh"),
    "Relu": Activation("relu"),
    "Sigmoid": Activation("sigmoid"),
    "Affine": Activation("affine"),
    "LeakyRelu": Activation("leaky_relu"),
    "ThresholdedRelu": Activation("thresholded_relu"),
    "ScaledTanh": Activation("scaled_tanh"),
    "HardSigmoid": Activation("hard_sigmoid"),
    "Elu": Activation("elu"),
    "Softsign": Activation("softsign"),
    "Softplus": Activation("softplus"),
}

DEFAULTS: Mapping[str, Activation] = MappingProxyType({spelled.lower(): a for spelled, a in _LISTED.items()})
"""ONNX's name in lower case -> the activation with its default alpha and beta; ONNX reads names without their case."""

SPELLED: Mapping[str, str] = MappingProxyType({a.name: spelled for spelled, a in _LISTED.items()})
"""Our name -> ONNX's."""


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
