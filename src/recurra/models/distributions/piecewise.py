"""A distribution that is known by some of its quantiles: straight lines between them, exponential tails beyond."""

from collections.abc import Sequence
from functools import cached_property

import torch

from recurra.models.distributions.base import Distribution, check_level_range
from recurra.shapes import Tensor

THINNEST = 1e-12


class PiecewiseQuantiles(Distribution):
    """The distribution whose quantile function is linear between known levels.

    Beyond the last level p_n it goes on as q_n + s ln((1 - p_n) / (1 - u)), below the first one likewise: tails of an
    exponential distribution, with s such that the density has no jump at the last level.

    Args:
        levels: increasing, strictly between 0 and 1, [Q].
        quantiles: not decreasing along the last axis, [..., Q].
        mean: [...]; what is to be answered for it.
    """

    def __init__(self, levels: Sequence[float], quantiles: Tensor, mean: Tensor) -> None:
        super().__init__(mean)
        self.levels, self.quantiles = tuple(levels), quantiles

    @cached_property
    def _p(self) -> Tensor:
        return self.quantiles.new_tensor(self.levels)

    @cached_property
    def _tails(self) -> tuple[Tensor, Tensor]:
        """The scale s of each tail, below the first level and beyond the last one."""
        if len(self.levels) == 1:
            thin = torch.full_like(self.mean, THINNEST)
            return thin, thin
        slopes = self.quantiles.diff(dim=-1) / self._p.diff()
        low = (slopes[..., 0] * self._p[0]).clamp_min(THINNEST)
        return low, (slopes[..., -1] * (1.0 - self._p[-1])).clamp_min(THINNEST)

    @property
    def _low(self) -> Tensor:
        return self._tails[0]

    @property
    def _high(self) -> Tensor:
        return self._tails[1]

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density: the inverse slope of the quantile function."""
        u = self.cdf(value)
        place = self._segment(u)
        if len(self.levels) == 1:
            inside = torch.full_like(self.mean, THINNEST)
        else:
            slopes = (self.quantiles.diff(dim=-1) / self._p.diff()).clamp_min(THINNEST)
            inside = slopes.gather(-1, place[..., None])[..., 0]
        low, high = self._low / u, self._high / (1.0 - u)
        return -torch.where(u < self._p[0], low, torch.where(u > self._p[-1], high, inside)).log()

    def cdf(self, value: Tensor) -> Tensor:
        """The inverse of the quantile function; a level between 0 and 1."""
        first, last = self.quantiles[..., 0], self.quantiles[..., -1]
        low = self._p[0] * (((value - first) / self._low).clamp_max(0.0)).exp()
        high = 1.0 - (1.0 - self._p[-1]) * (-((value - last) / self._high).clamp_min(0.0)).exp()
        if len(self.levels) == 1:
            return torch.where(value <= first, low, high)
        place = (self.quantiles < value[..., None]).sum(-1).sub(1).clamp(0, len(self.levels) - 2)[..., None]
        a, b = self.quantiles.gather(-1, place)[..., 0], self.quantiles.gather(-1, place + 1)[..., 0]
        p, q = self._p[place[..., 0]], self._p[place[..., 0] + 1]
        inside = p + (q - p) * ((value - a) / (b - a).clamp_min(THINNEST)).clamp(0.0, 1.0)
        return torch.where(value < first, low, torch.where(value > last, high, inside))

    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Quantiles, [..., levels]; those that are known as they are."""
        check_level_range(levels)
        if tuple(levels) == self.levels:
            return self.quantiles
        each = [self.quantile_at(torch.full_like(self.mean, level)) for level in levels]
        return torch.stack(each, -1)

    def quantile_at(self, u: Tensor) -> Tensor:
        """The quantile at a level of its own in each place."""
        low = self.quantiles[..., 0] + self._low * (u / self._p[0]).clamp_max(1.0).log()
        high = self.quantiles[..., -1] - self._high * ((1.0 - u) / (1.0 - self._p[-1])).clamp_max(1.0).log()
        if len(self.levels) == 1:
            return torch.where(u < self._p[0], low, high)
        place = self._segment(u)[..., None]
        a, b = self.quantiles.gather(-1, place)[..., 0], self.quantiles.gather(-1, place + 1)[..., 0]
        p, q = self._p[place[..., 0]], self._p[place[..., 0] + 1]
        inside = a + (b - a) * ((u - p) / (q - p)).clamp(0.0, 1.0)
        return torch.where(u < self._p[0], low, torch.where(u > self._p[-1], high, inside))

    def _segment(self, u: Tensor) -> Tensor:
        """The piece between two levels that each u lies in, the first or last one for a u outside."""
        return (torch.searchsorted(self._p, u.contiguous()) - 1).clamp(0, max(len(self.levels) - 2, 0))
