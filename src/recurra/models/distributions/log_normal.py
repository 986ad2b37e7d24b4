"""The log-normal distribution, of numbers above zero."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import torch

from recurra.models.distributions.base import Distribution, check_level_range
from recurra.shapes import Tensor


class LogNormal(Distribution):
    """exp(location + spread Z) with Z of the standard normal distribution.

    Its median is exp(location), its mean exp(location + spread² / 2).

    Args:
        location: any shape.
        spread: positive, broadcasts with it.
    """

    def __init__(self, location: Tensor, spread: Tensor) -> None:
        self.location, self.spread = torch.broadcast_tensors(location, spread)
        super().__init__((self.location + 0.5 * self.spread.square()).exp())

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density of the normal distribution at ln value, less ln value."""
        logs = value.log()
        z = (logs - self.location) / self.spread
        log_density: Tensor = -0.5 * z.square() - self.spread.log() - logs - 0.5 * math.log(2.0 * math.pi)
        return log_density

    def cdf(self, value: Tensor) -> Tensor:
        """Φ((ln value - location) / spread); 0 for a value of zero or less."""
        share: Tensor = torch.special.ndtr((value.clamp_min(0.0).log() - self.location) / self.spread)
        return share

    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Quantiles, [..., levels]."""
        check_level_range(levels)
        z = self.location.new_tensor([NormalDist().inv_cdf(level) for level in levels])
        quantiles: Tensor = (self.location[..., None] + self.spread[..., None] * z).exp()
        return quantiles

    def quantile_at(self, u: Tensor) -> Tensor:
        """The quantile at a level of its own in each place."""
        quantiles: Tensor = (self.location + self.spread * torch.special.ndtri(u)).exp()
        return quantiles
