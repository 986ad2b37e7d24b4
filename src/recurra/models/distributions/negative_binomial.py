"""The negative binomial distribution, of counts that vary more than a Poisson distribution's."""

from collections.abc import Sequence

import torch

from recurra.models.distributions.base import BISECTIONS, Distribution, check_level_range
from recurra.models.distributions.student import incomplete_beta
from recurra.shapes import Tensor


class NegativeBinomial(Distribution):
    """Counts 0, 1, 2 ... with a given mean m and variance m + m² / size.

    P(k) = Γ(k + r) / (Γ(r) k!) (r / (r + m))^r (m / (r + m))^k,  r = size

    Args:
        mean: m, above zero.
        size: r, above zero; a Poisson distribution where it is very large; broadcasts.
    """

    def __init__(self, mean: Tensor, size: Tensor) -> None:
        mean, self.size = torch.broadcast_tensors(mean, size)
        super().__init__(mean)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log probability of a count."""
        m, r = self.mean, self.size
        ways = torch.lgamma(value + r) - torch.lgamma(r) - torch.lgamma(value + 1.0)
        log_probability: Tensor = ways - r * torch.log1p(m / r) + value * (m.log() - (r + m).log())
        return log_probability

    def cdf(self, value: Tensor) -> Tensor:
        """I(r / (r + m); r, k + 1) with k the whole part of `value`; 0 below zero. No derivative."""
        total = self.size + self.mean
        k = value.floor().clamp_min(0.0)
        share = incomplete_beta(self.size, k + 1.0, self.size / total, self.mean / total).to(self.mean.dtype)
        return torch.where(value < 0.0, torch.zeros_like(share), share)

    def rank(self, value: Tensor) -> Tensor:
        """Half way between the probabilities of less than `value` and of at most it."""
        return 0.5 * (self.cdf(value) + self.cdf(value - 1.0))

    def quantile(self, levels: Sequence[float]) -> Tensor:
        """The smallest counts that are not exceeded with these probabilities, [..., levels]."""
        check_level_range(levels)
        shape = (*self.mean.shape, len(levels))
        wide = NegativeBinomial(self.mean[..., None].expand(shape), self.size[..., None].expand(shape))
        return wide.quantile_at(self.mean.new_tensor(levels).expand(shape))

    def quantile_at(self, u: Tensor) -> Tensor:
        """The smallest count k with P(K <= k) >= u, by bisection over the whole numbers."""
        high = (2.0 * self.mean + 1.0).ceil()
        for _ in range(BISECTIONS):
            outside = self.cdf(high) < u
            if not outside.any():
                break
            high = torch.where(outside, 2.0 * high, high)
        low = torch.full_like(high, -1.0)
        while bool((high - low > 1.0).any()):
            middle = ((low + high) / 2.0).floor()
            below = self.cdf(middle) < u
            apart = high - low > 1.0
            low = torch.where(apart & below, middle, low)
            high = torch.where(apart & ~below, middle, high)
        return high
