"""The parts of recurrent layers by their short names: what they mean, and between which bounds they lie."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from recurra.errors import ShapeError

MEANINGS = {
    "i": "input gate",
    "f": "forget gate",
    "g": "candidate",
    "o": "output gate",
    "c": "cell",
    "h": "output",
    "r": "reset gate",
    "z": "update gate",
    "n": "candidate",
    "a": "into the activation",
}

GATES = frozenset("ifozr")
"""Between 0 and 1."""

TANHS = frozenset("gn")
"""Between -1 and 1; an output often lies there too."""


def split_name(name: str) -> tuple[str, str]:
    """A part's short name and its layer: "f_l0_reverse" -> "f", "l0_reverse"."""
    short, _, layer = name.partition("_")
    return short, layer


def as_parts(parts: Mapping[str, npt.ArrayLike]) -> dict[str, npt.NDArray[np.float64]]:
    """Every part as float64 [step, neuron].

    Raises:
        ShapeError: if there are none, or one has another number of dimensions.
    """
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in parts.items()}
    wrong = {name: array.shape for name, array in arrays.items() if array.ndim != 2}
    if wrong or not arrays:
        raise ShapeError(f"expected parts of shape [step, neuron], got {wrong or 'none'}")
    return arrays
