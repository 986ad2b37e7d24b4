"""What an attention looks at, keys and which of them may be seen, read and refused where it does not fit."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from recurra.errors import ConfigError, DeviceError, DtypeError, ShapeError
from recurra.kernels import as_lengths
from recurra.nn._reading import Lengths, lengths_as_tensor


class ProjectedKeys(NamedTuple):
    """Keys as `attention.project` leaves them, to be looked at by one query after the other.

    Attributes:
        keys: [B, Tk, A], projected; zeros where no query may see.
        values: [B, Tk, V], zeros where no query may see.
        mask: [B, 1, Tk] or [B, Tq, Tk], True where a query may see a key; None if all see all.
    """

    keys: Tensor
    values: Tensor
    mask: Tensor | None


def hide(part: Tensor, mask: Tensor | None) -> Tensor:
    """[B, Tk, ...] with zeros where no query may see, whatever stood there."""
    return part if mask is None else torch.where(mask.any(1)[..., None], part, 0.0)


def read_mask(keys: Tensor, lengths: Lengths | None, mask: Tensor | None) -> Tensor | None:
    """Which keys may be seen: within the lengths, and where the mask is True.

    Raises:
        ShapeError: if lengths or mask do not fit the keys.
        DtypeError: if lengths are no whole numbers, or the mask is not of type bool.
    """
    batch, steps = keys.shape[:2]
    if mask is not None:
        if mask.dtype != torch.bool:
            raise DtypeError(f"mask should be of type bool, True where a key may be seen; got {mask.dtype}")
        if mask.dim() not in (2, 3) or mask.shape[0] != batch or mask.shape[-1] != steps:
            raise ShapeError(f"expected a mask [{batch}, {steps}] or [{batch}, Tq, {steps}], got {list(mask.shape)}")
        mask = mask[:, None] if mask.dim() == 2 else mask
    given = lengths_as_tensor(lengths, batched=True)
    if given is None:
        return mask
    read = as_lengths(given, batch, steps, keys.device)
    within = (torch.arange(steps, device=keys.device) < read[:, None])[:, None]
    return within if mask is None else within & mask


def masked_softmax(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax over the keys that may be seen; zeros for a query that may see none, and no NaN in its gradients."""
    if mask is None:
        return torch.softmax(scores, -1)
    lowest = torch.finfo(scores.dtype).min
    return torch.where(mask, torch.softmax(torch.where(mask, scores, lowest), -1), 0.0)


def check_widths(**widths: int) -> None:
    """Refuse widths that are not whole numbers above zero.

    Raises:
        DtypeError: (a TypeError) if one is not an int.
        ConfigError: (a ValueError) if one is not above zero.
    """
    for name, width in widths.items():
        if not isinstance(width, int) or isinstance(width, bool):
            raise DtypeError(f"{name} should be of type int, got: {type(width).__name__}")
        if width <= 0:
            raise ConfigError(f"{name} must be greater than zero")


def check_inputs(name: str, like: Tensor, parts: Mapping[str, tuple[Tensor, int | None, tuple[int, ...]]]) -> None:
    """Refuse tensors that do not fit an attention.

    Args:
        name: of the attention's class.
        like: a tensor whose type and device the others must have; autocast brings types together.
        parts: argument -> (what was given, its width or None for any, the numbers of dimensions it may have).

    Raises:
        DtypeError: (a TypeError) what is no tensor, or of another type.
        ShapeError: another width or number of dimensions.
        DeviceError: another device.
    """
    for argument, (part, width, dims) in parts.items():
        if not isinstance(part, Tensor):
            raise DtypeError(f"{name}: {argument} should be a tensor, got: {type(part).__name__}")
        if part.dim() not in dims:
            wanted = " or ".join(f"{dim}D" for dim in dims)
            raise ShapeError(f"{name}: expected {argument} to be {wanted}, got {part.dim()}D")
        if width is not None and part.shape[-1] != width:
            raise ShapeError(f"{name}: expected {argument} of width {width}, got {part.shape[-1]}")
        if part.device != like.device:
            raise DeviceError(f"{name}: {argument} is on {part.device}, expected {like.device}; move them together")
        if part.dtype != like.dtype and not torch.is_autocast_enabled(part.device.type):
            raise DtypeError(f"{name}: {argument} is {part.dtype}, expected {like.dtype}")
