"""The normal distribution."""

import math
from statistics import NormalDist

import torch

from recurra.models.distributions.base import ScaledDistribution
from recurra.shapes import Tensor


class Normal(ScaledDistribution):
    """N(mean, std²)."""

    def at(self, column: int) -> "Normal":
        """The distributions in one column."""
        return Normal(self.mean[..., column], self.std[..., column])

    def unit_log_prob(self, z: Tensor) -> Tensor:
        """-z²/2 - ln sqrt(2π)."""
        return -0.5 * z.square() - 0.5 * math.log(2.0 * math.pi)

    def unit_cdf(self, z: Tensor) -> Tensor:
        """Φ(z)."""
        share: Tensor = torch.special.ndtr(z)
        return share

    def unit_quantile(self, level: float | Tensor) -> Tensor:
        """The inverse of Φ."""
        if isinstance(level, Tensor):
            z: Tensor = torch.special.ndtri(level)
            return z
        return torch.full_like(self.mean, NormalDist().inv_cdf(level))

    def unit_crps(self, z: Tensor) -> Tensor:
        """The score z (2 Φ(z) - 1) + 2 φ(z) - 1 / sqrt(π). Source: Gneiting et al. 2005, equation 5."""
        return z * (2.0 * self.unit_cdf(z) - 1.0) + 2.0 * self.unit_log_prob(z).exp() - 1.0 / math.sqrt(math.pi)
