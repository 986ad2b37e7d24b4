"""Mixtures of normal distributions, brought to mean 0 and variance 1 before they are shifted and scaled."""

import math

import torch

from recurra.models.distributions.base import ScaledDistribution
from recurra.shapes import Tensor


class NormalMixture(ScaledDistribution):
    """mean + std (M - E M) / sqrt(Var M), with M a mixture of normals.

    Args:
        mean, std: as for `ScaledDistribution`.
        logits: of the components' weights, [..., components].
        offsets: their means, the same shape.
        spreads: their standard deviations, positive, the same shape.
    """

    def __init__(self, mean: Tensor, std: Tensor, logits: Tensor, offsets: Tensor, spreads: Tensor) -> None:
        super().__init__(mean, std)
        shape = (*self.mean.shape, logits.shape[-1])
        self.weights = logits.softmax(-1).expand(shape)
        offsets, spreads = offsets.expand(shape), spreads.expand(shape)
        centre = (self.weights * offsets).sum(-1, keepdim=True)
        second = (self.weights * (spreads.square() + (offsets - centre).square())).sum(-1, keepdim=True)
        self.offsets, self.spreads = (offsets - centre) / second.sqrt(), spreads / second.sqrt()

    def at(self, column: int) -> "NormalMixture":
        """The distributions in one column."""
        parts = (self.weights.log(), self.offsets, self.spreads)
        return NormalMixture(self.mean[..., column], self.std[..., column], *(part[..., column, :] for part in parts))

    def unit_log_prob(self, z: Tensor) -> Tensor:
        """Log of the weighted sum of the components' densities."""
        each = (z[..., None] - self.offsets) / self.spreads
        logs = -0.5 * each.square() - self.spreads.log() - 0.5 * math.log(2.0 * math.pi)
        return (self.weights.log() + logs).logsumexp(-1)

    def unit_cdf(self, z: Tensor) -> Tensor:
        """The weighted sum of the components' distribution functions."""
        share: Tensor = torch.special.ndtr((z[..., None] - self.offsets) / self.spreads)
        return (self.weights * share).sum(-1)

    def unit_crps(self, z: Tensor) -> Tensor:
        """Σ w_i A(z - m_i, s_i) - Σ_ij w_i w_j A(m_i - m_j, sqrt(s_i² + s_j²)) / 2,  A(m, s) = E|N(m, s²)|.

        Source: Grimit, Gneiting, Berrocal & Johnson 2006, equation 5.
        """
        first = (self.weights * _mean_absolute(z[..., None] - self.offsets, self.spreads)).sum(-1)
        apart = self.offsets[..., :, None] - self.offsets[..., None, :]
        spread = (self.spreads[..., :, None].square() + self.spreads[..., None, :].square()).sqrt()
        pairs = self.weights[..., :, None] * self.weights[..., None, :]
        return first - 0.5 * (pairs * _mean_absolute(apart, spread)).sum((-1, -2))


def _mean_absolute(m: Tensor, s: Tensor) -> Tensor:
    z = m / s
    density = (-0.5 * z.square()).exp() / math.sqrt(2.0 * math.pi)
    share: Tensor = torch.special.ndtr(z)
    return m * (2.0 * share - 1.0) + 2.0 * s * density
