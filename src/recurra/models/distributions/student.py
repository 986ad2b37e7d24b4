"""Student's t distribution with any real degrees of freedom above two, scaled to a given standard deviation."""

import math
from functools import lru_cache

import torch

from recurra.models.distributions.base import ScaledDistribution
from recurra.shapes import Tensor

STEPS = 200
TINY = 1e-300


class StudentT(ScaledDistribution):
    """mean + std sqrt((ν - 2) / ν) T with T of Student's t.

    Args:
        mean, std: as for `ScaledDistribution`.
        df: ν, above 2, so that there is a variance; broadcasts.
    """

    def __init__(self, mean: Tensor, std: Tensor, df: Tensor) -> None:
        super().__init__(mean, std)
        self.df = df.expand_as(self.mean)
        self.shrink = ((self.df - 2.0) / self.df).sqrt()

    def at(self, column: int) -> "StudentT":
        """The distributions in one column."""
        return StudentT(self.mean[..., column], self.std[..., column], self.df[..., column])

    def unit_log_prob(self, z: Tensor) -> Tensor:
        """Log density of the t distribution at z / shrink, less ln shrink."""
        t, v = z / self.shrink, self.df
        constant = torch.lgamma((v + 1.0) / 2.0) - torch.lgamma(v / 2.0) - 0.5 * (math.pi * v).log()
        return constant - (v + 1.0) / 2.0 * torch.log1p(t.square() / v) - self.shrink.log()

    def unit_cdf(self, z: Tensor) -> Tensor:
        """1 - I(ν / (ν + t²); ν/2, 1/2) / 2 for t >= 0. Source: Abramowitz & Stegun 1964, equation 26.7.1."""
        t = z / self.shrink
        half = torch.full_like(t, 0.5)
        total = self.df + t.square()
        tail = 0.5 * incomplete_beta(self.df / 2.0, half, self.df / total, t.square() / total)
        return torch.where(t >= 0, 1.0 - tail, tail)

    def unit_quantile(self, level: float | Tensor) -> Tensor:
        """The quantile of Z, found once for each pair of level and degrees of freedom that occurs."""
        df, place = self.df.detach().double().unique(return_inverse=True)
        if not isinstance(level, Tensor):
            each: Tensor = _unit_quantiles(tuple(df.tolist()), (level,))
            return each[place, 0].to(self.mean.dtype)
        levels, column = level.detach().double().unique(return_inverse=True)
        if len(df) * len(levels) > level.numel():
            return super().unit_quantile(level)
        each = _unit_quantiles(tuple(df.tolist()), tuple(levels.tolist()))
        return each[place, column].to(self.mean.dtype)

    def unit_crps(self, z: Tensor) -> Tensor:
        """CRPS of the scaled t distribution.

        t (2 F(t) - 1) + 2 f(t) (ν + t²) / (ν - 1) - 2 sqrt(ν) B(1/2, ν - 1/2) / ((ν - 1) B(1/2, ν/2)²), times shrink

        Source: Jordan, Krüger & Lerch 2019, appendix A.
        """
        t, v = z / self.shrink, self.df
        density = (self.unit_log_prob(z) + self.shrink.log()).exp()
        last = 2.0 * v.sqrt() / (v - 1.0) * (_log_beta(v - 0.5) - 2.0 * _log_beta(v / 2.0)).exp()
        body = t * (2.0 * self.unit_cdf(z) - 1.0) + 2.0 * density * (v + t.square()) / (v - 1.0)
        return self.shrink * (body - last)


@lru_cache(maxsize=256)
def _unit_quantiles(df: tuple[float, ...], levels: tuple[float, ...]) -> Tensor:
    """Quantiles of Z for each number of degrees of freedom and level, [df, levels]."""
    v = torch.tensor(df, dtype=torch.float64)[:, None].expand(-1, len(levels))
    one = torch.ones_like(v)
    each = StudentT(0.0 * one, one, v)
    return super(StudentT, each).unit_quantile(torch.tensor(levels, dtype=torch.float64).expand_as(v))


def _log_beta(b: Tensor) -> Tensor:
    """Logarithm of B(1/2, b)."""
    return math.lgamma(0.5) + torch.lgamma(b) - torch.lgamma(b + 0.5)


def incomplete_beta(a: Tensor, b: Tensor, x: Tensor, rest: Tensor | None = None) -> Tensor:
    """The regularised incomplete beta function I(x; a, b), for 0 <= x <= 1; the broadcast shape, no derivative.

    The continued fraction converges quickly for x < (a + 1) / (a + b + 2); beyond, I(x; a, b) = 1 - I(1 - x; b, a).

    Args:
        a: positive.
        b: positive.
        x: where.
        rest: 1 - x, where it is known better than by subtraction.

    Source: Abramowitz & Stegun 1964, equations 26.5.8 and 26.5.2; evaluated by Lentz's method, as modified by
    Thompson & Barnett 1986.
    """
    rest = 1.0 - x if rest is None else rest
    a, b, x, rest = torch.broadcast_tensors(*(value.detach().double() for value in (a, b, x, rest)))
    turn = x > (a + 1.0) / (a + b + 2.0)
    p, q, u = torch.where(turn, b, a), torch.where(turn, a, b), torch.where(turn, rest, x)
    logs = p * u.clamp_min(TINY).log() + q * torch.where(turn, x, rest).clamp_min(TINY).log()
    front = (logs + torch.lgamma(p + q) - torch.lgamma(p) - torch.lgamma(q)).exp() / p
    value = front * _fraction(p, q, u)
    return torch.where(turn, 1.0 - value, value)


def _fraction(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    """1 / (1 + d_1 / (1 + d_2 / (1 + ...)))."""
    c = torch.ones_like(x)
    d = 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    result = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + term * d)
            c = _away_from_zero(1.0 + term / c)
            result = result * d * c
        if float((d * c - 1.0).abs().amax() if d.numel() else 0.0) < 1e-14:
            break
    return result


def _away_from_zero(value: Tensor) -> Tensor:
    return torch.where(value.abs() < TINY, torch.full_like(value, TINY), value)
