"""Mean 0 and deviation 1: over an utterance, over its recent past, or by the training part."""

import math

import torch
from torch import Tensor

from recurra.data.audio.spec import FeatureSpec

SMALLEST = 1e-3
BLOCK = 64


def normalise_utterance(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Each row to mean 0 and deviation 1 over its own frames; zero past its end.

    Args:
        x: [batch, time, features].
        lengths: [batch]; all frames if None.
    """
    if lengths is None:
        inside = torch.ones(x.shape[:2], dtype=x.dtype, device=x.device)[..., None]
    else:
        inside = (torch.arange(x.shape[1], device=x.device) < lengths[:, None]).to(x.dtype)[..., None]
    count = inside.sum(1, keepdim=True).clamp_min(1.0)
    mean = (x * inside).sum(1, keepdim=True) / count
    variance = ((x - mean) * inside).square().sum(1, keepdim=True) / count
    return (x - mean) / (variance.sqrt() + SMALLEST) * inside


class RunningNormaliser:
    """Each frame by the mean and deviation of those up to it, older ones counting less; begins with a prior.

        w(t) = a w(t-1) + 1,  s(t) = a s(t-1) + x(t),  q(t) = a q(t-1) + x(t)^2,  a = exp(-hop / memory)
        y(t) = (x(t) - s(t) / w(t)) / sqrt(q(t) / w(t) - (s(t) / w(t))^2 + 0.1)

    where x are frames in units of the training part, w(0) = q(0) = prior / hop and s(0) = 0. Whole utterances and
    chunks of any size go through the same recurrence.

    Args:
        spec: memory_s, prior_s and hop_s.
        batch: rows side by side.
        width: features of a frame.
        dtype: of the frames.
    """

    def __init__(self, spec: FeatureSpec, batch: int, width: int, dtype: torch.dtype) -> None:
        self._decay = math.exp(-spec.hop_s / spec.memory_s)
        prior = spec.prior_s / spec.hop_s
        self._sums = torch.zeros(batch, 2 * width + 1, dtype=dtype)
        self._sums[:, width:] = prior
        rows = torch.arange(BLOCK, dtype=dtype)
        self._weights = (self._decay ** (rows[:, None] - rows).clamp_min(0)).tril()
        self._fading = self._decay ** (rows + 1.0)

    def push(self, x: Tensor) -> Tensor:
        """More frames [batch, time, features] in, the same frames normalised out."""
        return torch.cat([self._block(part) for part in x.split(BLOCK, 1)], 1) if x.shape[1] else x

    def _block(self, x: Tensor) -> Tensor:
        n, width = x.shape[1], x.shape[2]
        terms = torch.cat([x, x.square(), torch.ones_like(x[..., :1])], -1)
        sums = self._weights[:n, :n] @ terms + self._fading[:n, None] * self._sums[:, None]
        self._sums = sums[:, -1]
        count = sums[..., -1:]
        mean, square = sums[..., :width] / count, sums[..., width:-1] / count
        return (x - mean) / ((square - mean.square()).clamp_min(0.0) + 0.1).sqrt()
