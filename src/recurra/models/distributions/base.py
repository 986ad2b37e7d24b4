"""What every output distribution can say: log density, distribution function, quantiles, and how draws come of it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch

from recurra.errors import ConfigError
from recurra.shapes import Tensor

BISECTIONS = 55


class Distribution(ABC):
    """A distribution of real numbers for each place of a tensor; `mean` has its shape.

    Args:
        mean: expectations, any shape.
    """

    def __init__(self, mean: Tensor) -> None:
        self.mean = mean

    @abstractmethod
    def log_prob(self, value: Tensor) -> Tensor:
        """Logarithm of the density, or probability, of `value`; differentiable in every parameter."""

    @abstractmethod
    def cdf(self, value: Tensor) -> Tensor:
        """Probability of at most `value`."""

    @abstractmethod
    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Quantiles, [..., levels].

        Raises:
            ConfigError: if a level is not strictly between 0 and 1.
        """

    @abstractmethod
    def quantile_at(self, u: Tensor) -> Tensor:
        """The quantile at a level of its own in each place: what a uniform draw u becomes.

        Args:
            u: strictly between 0 and 1, of the shape of `mean`.
        """

    def rank(self, value: Tensor) -> Tensor:
        """The probability integral transform of `value`: uniform where the distribution is right."""
        return self.cdf(value)


def check_level_range(levels: Sequence[float]) -> None:
    """Refuse levels that are not strictly between 0 and 1.

    Raises:
        ConfigError: naming them.
    """
    if any(not 0.0 < level < 1.0 for level in levels):
        raise ConfigError(f"levels are {list(levels)}; they must lie strictly between 0 and 1")


class ScaledDistribution(Distribution):
    """mean + std Z, with E Z = 0 and E Z² = 1.

    Args:
        mean: any shape.
        std: positive, broadcasts with it.
    """

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        mean, self.std = torch.broadcast_tensors(mean, std)
        super().__init__(mean)

    @property
    def variance(self) -> Tensor:
        """std²."""
        variance: Tensor = self.std.square()
        return variance

    def log_prob(self, value: Tensor) -> Tensor:
        """Logarithm of the density at `value`; differentiable in every parameter."""
        log_density: Tensor = self.unit_log_prob((value - self.mean) / self.std) - self.std.log()
        return log_density

    def cdf(self, value: Tensor) -> Tensor:
        """Probability of at most `value`: the probability integral transform where `value` is what came."""
        return self.unit_cdf((value - self.mean) / self.std)

    def crps(self, value: Tensor) -> Tensor:
        """Continuous ranked probability score, in the units of `value`; Gneiting & Raftery 2007, equation 20."""
        score: Tensor = self.std * self.unit_crps((value - self.mean) / self.std)
        return score

    def quantile(self, levels: Sequence[float]) -> Tensor:
        """Quantiles, [..., levels].

        Raises:
            ConfigError: if a level is not strictly between 0 and 1.
        """
        check_level_range(levels)
        return torch.stack([self.mean + self.std * self.unit_quantile(level) for level in levels], -1)

    def quantile_at(self, u: Tensor) -> Tensor:
        """The quantile at a level of its own in each place."""
        quantile: Tensor = self.mean + self.std * self.unit_quantile(u)
        return quantile

    def unit_quantile(self, level: float | Tensor) -> Tensor:
        """The quantile of Z at one level, or at one for each place, by bisection to 1e-12 of its size."""
        high = torch.ones_like(self.mean)
        for _ in range(BISECTIONS):
            outside = (self.unit_cdf(high) < level) | (self.unit_cdf(-high) > level)
            if not outside.any():
                break
            high = torch.where(outside, 2.0 * high, high)
        low = -high
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            below = self.unit_cdf(middle) < level
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return 0.5 * (low + high)

    @abstractmethod
    def at(self, column: int) -> "ScaledDistribution":
        """The distributions in one column of the last dimension of mean and std."""

    @abstractmethod
    def unit_log_prob(self, z: Tensor) -> Tensor:
        """Log density of Z."""

    @abstractmethod
    def unit_cdf(self, z: Tensor) -> Tensor:
        """Distribution function of Z."""

    @abstractmethod
    def unit_crps(self, z: Tensor) -> Tensor:
        """CRPS of Z."""
