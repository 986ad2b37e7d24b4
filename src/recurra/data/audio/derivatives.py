"""Derivatives of features in time: the slope of a line through five frames, whole or as a stream."""

import torch
from torch import Tensor

REACH = 2


def slope(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Slope of the least-squares line through the two frames before, the frame, and the two after.

        d(t) = sum_k k (x(t + k) - x(t - k)) / (2 sum_k k^2),  k = 1, 2

    The first and the last frame of a row are repeated beyond its ends.

    Args:
        x: [batch, time, features].
        lengths: [batch], frames of each row; all if None.
    """
    steps = torch.arange(x.shape[1], device=x.device)
    last = torch.as_tensor(x.shape[1] - 1) if lengths is None else (lengths - 1).clamp_min(0)[:, None]
    total = torch.zeros_like(x)
    for k in range(1, REACH + 1):
        after = torch.minimum(steps + k, last).expand(len(x), -1)
        before = torch.minimum((steps - k).clamp_min(0), last).expand(len(x), -1)
        total += k * (_pick(x, after) - _pick(x, before))
    return total / (2 * sum(k * k for k in range(1, REACH + 1)))


def _pick(x: Tensor, frames: Tensor) -> Tensor:
    return x.gather(1, frames[..., None].expand(-1, -1, x.shape[2]))


def with_derivatives(x: Tensor, order: int, lengths: Tensor | None = None) -> Tensor:
    """Features and their first `order` derivatives side by side, [batch, time, features * (1 + order)]."""
    parts = [x]
    for _ in range(order):
        parts.append(slope(parts[-1], lengths))
    return torch.cat(parts, -1) if order else x


class DerivativeStream:
    """`with_derivatives` for frames that come one after the other; what it gives lags 2 frames per derivative.

    Args:
        order: how many derivatives.
        width: features of a frame.
        dtype: of the frames.
    """

    def __init__(self, order: int, width: int, dtype: torch.dtype = torch.float64) -> None:
        self.order, self._width = order, width
        self._seen = torch.zeros(0, width, dtype=dtype)
        self._given = 0
        self._dropped = 0

    @property
    def lag(self) -> int:
        """Frames by which the derivatives come later than the features."""
        return REACH * self.order

    def push(self, x: Tensor) -> Tensor:
        """More frames [n, features] in, finished frames [m, features * (1 + order)] out."""
        if not self.order:
            return x
        self._seen = torch.cat([self._seen, x])
        ready = self._dropped + len(self._seen) - self.lag
        return self._give(max(ready, self._given))

    def finish(self) -> Tensor:
        """The last frames, now that none will follow."""
        if not self.order:
            return self._seen
        return self._give(self._dropped + len(self._seen))

    def _give(self, end: int) -> Tensor:
        first, last = self._given - self._dropped, end - self._dropped
        if last <= first:
            return self._seen.new_zeros(0, self._width * (1 + self.order))
        done = with_derivatives(self._seen[None], self.order)[0, first:last]
        self._given = end
        keep = max(0, last - self.lag)
        # Beyond the kept frames' own beginning a derivative would repeat the wrong frame: keep what it reaches back to.
        self._seen = self._seen[keep:]
        self._dropped += keep
        return done
