"""Autocast on the CPU: a layer computes in the type of its weights, so that no rounded state is carried on.

PyTorch's own call would compute in bfloat16, where its LSTM fails on processors without that type. On other devices
the call is PyTorch's, and so is what autocast does there.
"""

from typing import TypeVar, cast

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

Input = TypeVar("Input", bound=Tensor | PackedSequence)


def autocast_is_on(weight: Tensor) -> bool:
    """Whether autocast is on for a weight on the CPU."""
    return weight.is_cpu and torch.is_autocast_enabled("cpu")


def in_type_of(weight: Tensor, given: Input) -> Input:
    """A floating input or state in the type of a weight; anything else stays as it is and is refused later."""
    values = given.data if isinstance(given, PackedSequence) else given
    if not isinstance(values, Tensor) or not values.is_floating_point() or values.dtype == weight.dtype:
        return given
    return cast(Input, given.to(weight.dtype))
