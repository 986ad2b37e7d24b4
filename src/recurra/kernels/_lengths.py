"""Reads the lengths of a ragged batch, and refuses what cannot be lengths."""

from itertools import pairwise

import torch
from torch import Tensor

from recurra.errors import DeviceError, DtypeError, ShapeError


def as_lengths(lengths: Tensor, batch: int, steps: int, device: torch.device) -> Tensor:
    """The lengths of the rows of a padded batch as int64 on the batch's device.

    Args:
        lengths: valid steps of each row, in any order, 0 allowed.
        batch: B, the number of rows.
        steps: T, the number of steps, padding included.
        device: where the batch lies.

    Raises:
        DtypeError: if they are not whole numbers.
        DeviceError: if they have no values, on the device "meta".
        ShapeError: if there is not one for each row, or one is negative or greater than T.
    """
    if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool:
        raise DtypeError(f"lengths should be whole numbers, got {lengths.dtype}")
    if lengths.shape != (batch,):
        raise ShapeError(f"expected one length for each of the {batch} rows, got {list(lengths.shape)}")
    if lengths.is_meta and device.type != "meta" and not torch.compiler.is_compiling():
        raise DeviceError(f"lengths on the device meta have no values; the input is on {device}")
    read = lengths.to(device, torch.int64)  # above its range uint64 becomes negative, and is refused so
    if not _readable(read) or batch == 0:
        return read
    low, high = (int(bound) for bound in torch.aminmax(read))
    if low < 0 or high > steps:
        row = int(((read < 0) | (read > steps)).nonzero()[0, 0])
        raise ShapeError(
            f"lengths should lie in 0..{steps} (the steps of the batch), got {int(read[row])} for row {row}"
        )
    return read


def check_batch_sizes(batch_sizes: Tensor, rows: int) -> None:
    """Refuse the batch_sizes of a packed batch that cannot be.

    Args:
        batch_sizes: rows at each step, [T].
        rows: of all steps together.

    Raises:
        ShapeError: if there is no step, or a step has no row or more than the one before, or the sum is another.
    """
    if batch_sizes.dim() != 1:
        raise ShapeError(f"batch_sizes must have one dimension, got {batch_sizes.dim()}")
    sizes = batch_sizes.tolist()
    falls = all(after <= before for before, after in pairwise(sizes))
    if not sizes or not falls or sizes[-1] < 1 or sum(sizes) != rows:
        raise ShapeError(
            f"batch_sizes must be above zero, must not grow and must add up to the {rows} rows of the packed batch"
        )


def _readable(lengths: Tensor) -> bool:
    """Whether values can be looked at: not while tracing, nor where vmap runs over the lengths themselves."""
    return not (
        torch.compiler.is_compiling() or lengths.is_meta or torch._C._functorch.is_functorch_wrapped_tensor(lengths)
    )
