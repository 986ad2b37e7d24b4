"""Rows of unlike length: masks, and the ways between a padded batch and a packed one.

Everything is made of selections, so it may be differentiated any number of times and vmapped.
"""

import torch

from recurra.shapes import Bool, Float, Int, Tensor


def valid_steps(lengths: Int[Tensor, " batch"], steps: int) -> Bool[Tensor, "time batch 1"]:
    """True where a row still has an observation."""
    time = torch.arange(steps, device=lengths.device)
    return (time[:, None] < lengths[None, :])[..., None]


def reversed_rows(
    x: Float[Tensor, "time batch *rest"], lengths: Int[Tensor, " batch"] | None
) -> Float[Tensor, "time batch *rest"]:
    """Every row back to front, from its own last valid step; the padding stays where it is."""
    if lengths is None:
        return x.flip(0)
    time = torch.arange(x.shape[0], device=x.device)[:, None]
    source = torch.where(time < lengths, lengths - 1 - time, time)
    return x[source, torch.arange(x.shape[1], device=x.device)]


def reversed_packed(
    data: Float[Tensor, "rows input"], batch_sizes: Int[Tensor, " time"]
) -> Float[Tensor, "rows input"]:
    """Every row of a packed batch back to front."""
    start = batch_sizes.cumsum(0) - batch_sizes
    time = torch.repeat_interleave(torch.arange(batch_sizes.shape[0]), batch_sizes)
    row = torch.arange(time.shape[0]) - start[time]
    source = start[lengths_of(batch_sizes)[row] - 1 - time] + row
    return data.index_select(0, source.to(data.device))


def lengths_of(batch_sizes: Int[Tensor, " time"]) -> Int[Tensor, " batch"]:
    """The length of each row of a packed batch, longest first."""
    batch = int(batch_sizes[0])
    return (batch_sizes[:, None] > torch.arange(batch)[None, :]).sum(0)


def unpack(data: Float[Tensor, "rows input"], batch_sizes: Int[Tensor, " time"]) -> Float[Tensor, "time batch input"]:
    """A packed batch as a padded one; padding is zero."""
    steps, batch = batch_sizes.shape[0], int(batch_sizes[0])
    start = batch_sizes.cumsum(0) - batch_sizes
    row = torch.arange(batch)[None, :]
    valid = row < batch_sizes[:, None]
    where = torch.where(valid, start[:, None] + row, 0).flatten().to(data.device)
    padded = data.index_select(0, where).unflatten(0, (steps, batch))
    return torch.where(valid[..., None].to(data.device), padded, torch.zeros_like(padded))


def pack(padded: Float[Tensor, "time batch output"], batch_sizes: Int[Tensor, " time"]) -> Float[Tensor, "rows output"]:
    """The valid steps of a padded batch, one after the other, as `PackedSequence.data` has them."""
    batch = int(batch_sizes[0])
    start = batch_sizes.cumsum(0) - batch_sizes
    time = torch.repeat_interleave(torch.arange(batch_sizes.shape[0]), batch_sizes)
    row = torch.arange(time.shape[0]) - start[time]
    return padded.flatten(0, 1).index_select(0, (time * batch + row).to(padded.device))
