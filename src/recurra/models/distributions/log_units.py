"""A distribution of logarithms, seen in the units of what they were taken of."""

from collections.abc import Sequence

from recurra.models.distributions.base import Distribution
from recurra.shapes import Tensor

LARGEST_LOG = 69.0775527898


class ExpMinusOne(Distribution):
    """exp(Z) - 1, but never below zero, where Z = log(1 + Y) has a known distribution.

    Quantiles go through the exponential as they are. The mean is that of the quantiles at some levels, by the
    trapezoid rule with flat tails: the exponential of a heavy tail may have none.

    Args:
        of: the distribution of Z.
        levels: levels that the mean is taken over, [Q].
        weights: of their quantiles in the mean, [Q].
    """

    def __init__(self, of: Distribution, levels: Sequence[float], weights: Sequence[float]) -> None:
        self.of = of
        quantiles = _table_units(of.quantile(levels))
        super().__init__((quantiles * quantiles.new_tensor(list(weights))).sum(-1))

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density at the logarithm, less the logarithm."""
        logs = value.log1p()
        return self.of.log_prob(logs) - logs

    def cdf(self, value: Tensor) -> Tensor:
        """Probability of at most `value`; that of zero for a value below it."""
        return self.of.cdf(value.clamp_min(0.0).log1p())

    def rank(self, value: Tensor) -> Tensor:
        """The probability integral transform of `value`."""
        return self.of.rank(value.clamp_min(0.0).log1p())

    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Quantiles, [..., levels]."""
        return _table_units(self.of.quantile(levels))

    def quantile_at(self, u: Tensor) -> Tensor:
        """The quantile at a level of its own in each place."""
        return _table_units(self.of.quantile_at(u))


def _table_units(z: Tensor) -> Tensor:
    values: Tensor = z.clamp_max(LARGEST_LOG).expm1().clamp_min(0.0)
    return values
