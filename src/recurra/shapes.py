"""The axis names and tensor aliases used everywhere.

Axis names in shape annotations (jaxtyping):

    batch     rows that are computed together                 B
    time      steps of a sequence                             T
    input     features of one observation                     I  (n_inputs in equation 15-2)
    hidden    neurons of a recurrent layer                    H  (n_neurons in equation 15-2)
    output    width of a layer's output (H, or the projection)
    layers    layers x directions of a stacked layer
    horizon   steps ahead
    quantile  quantile levels

A product is written `"4*H input"`, a single axis `" batch"`.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float, Int
from torch import Tensor

FloatArray: TypeAlias = npt.NDArray[np.floating]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
TimeArray: TypeAlias = npt.NDArray[np.datetime64] | npt.NDArray[np.int64]

Sequence: TypeAlias = Float[Tensor, "batch time input"]
Lengths: TypeAlias = Int[Tensor, " batch"]
Mask: TypeAlias = Bool[Tensor, "batch time"]

__all__ = [
    "Bool",
    "BoolArray",
    "Float",
    "FloatArray",
    "Int",
    "IntArray",
    "Lengths",
    "Mask",
    "Sequence",
    "Tensor",
    "TimeArray",
]
