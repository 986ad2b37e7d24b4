"""What a network's numbers say of each step ahead: quantiles, or a distribution, around the rule that is corrected."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

from recurra.models.distributions import (
    Distribution,
    LogNormal,
    NegativeBinomial,
    Normal,
    NormalMixture,
    PiecewiseQuantiles,
    StudentT,
)
from recurra.models.forecast.heads import middle_level, normal_spreads, ordered_quantiles
from recurra.shapes import Float, Tensor

FIRST_SPREAD = math.sqrt(math.pi / 2.0)
"""Standard deviation of a normal distribution whose mean absolute value is 1."""
FIRST_DF = 6.0
WIDEST = 8.0
SMALLEST_SHARE = 0.01
SMALLEST_SIZE, LARGEST_SIZE = 0.1, 1e4


@dataclass(frozen=True)
class RulePath:
    """What the rule says of the steps after some origins, and how far it is off, in float64.

    Args:
        ahead: its forecasts, [n, horizon].
        step: its mean absolute error one step ahead, as known at the origin, [n, 1].
        scale: spread of the series, as known at the origin, [n, 1].
    """

    ahead: Tensor
    step: Tensor
    scale: Tensor

    @property
    def positive(self) -> Tensor:
        """The forecasts, at least a hundredth of the series' spread, [n, horizon]."""
        return torch.maximum(self.ahead, SMALLEST_SHARE * self.scale)

    @property
    def share(self) -> Tensor:
        """`step` as a share of the positive forecasts, between 0.01 and 1, [n, horizon]."""
        share: Tensor = (self.step / self.positive).clamp(SMALLEST_SHARE, 1.0)
        return share


class Output(nn.Module):
    """Base of the outputs: numbers r of each step -> a loss to train by, and a distribution to answer with.

    Attributes:
        start: r of a fresh network: what the rule says, and an error like its own one step ahead.
        positive: whether the target must not be negative.
        whole: whether it must be a whole number.
    """

    start: list[float]
    positive = False
    whole = False

    @abstractmethod
    def loss(
        self, raw: Float[Tensor, "n horizon number"], y: Float[Tensor, "n horizon"], path: RulePath, unit: Tensor
    ) -> Float[Tensor, "n horizon"]:
        """Loss of every target; 0 where it is missing.

        Args:
            raw: the network's numbers.
            y: targets, NaN where missing, float64.
            path: the rule.
            unit: size of a step of each series, in which losses are counted, [n, 1].
        """

    @abstractmethod
    def distribution(self, raw: Float[Tensor, "n horizon number"], path: RulePath) -> Distribution:
        """The distributions of the steps ahead, [n, horizon], in the units of the series."""


class QuantileOutput(Output):
    """q = rule + step ordered(r): quantiles that never cross, trained by their pinball loss.

    Args:
        levels: increasing.
    """

    def __init__(self, levels: Sequence[float]) -> None:
        super().__init__()
        self.levels, self.middle = tuple(levels), middle_level(levels)
        self.start = normal_spreads(levels)
        self.weights = mean_weights(levels)

    def loss(self, raw: Tensor, y: Tensor, path: RulePath, unit: Tensor) -> Tensor:
        """Twice the mean pinball loss over the levels."""
        known = ~y.isnan()
        target = torch.where(known, (y - path.ahead) / path.step, 0.0).to(raw.dtype)
        share = torch.where(known, path.step / unit, 0.0).to(raw.dtype)
        error = target[..., None] - ordered_quantiles(raw, self.middle)
        if self.levels == (0.5,):
            return error[..., 0].abs() * share
        levels = raw.new_tensor(self.levels)
        return 2.0 * torch.maximum(levels * error, (levels - 1.0) * error).mean(-1) * share

    def distribution(self, raw: Tensor, path: RulePath) -> PiecewiseQuantiles:
        """Straight lines between the quantiles."""
        quantiles = path.ahead[..., None] + path.step[..., None] * ordered_quantiles(raw, self.middle)
        mean: Tensor = quantiles @ quantiles.new_tensor(self.weights)
        return PiecewiseQuantiles(self.levels, quantiles, mean)


class DistributionOutput(Output):
    """Trained by the negative log likelihood, in float64."""

    def loss(self, raw: Tensor, y: Tensor, path: RulePath, unit: Tensor) -> Tensor:
        """-ln p(y) of the target in units of `unit`."""
        known = ~y.isnan()
        safe = torch.where(known, y, torch.ones_like(y) if self.positive else path.ahead)
        losses = -self.distribution(raw.double(), path).log_prob(safe) - unit.log()
        return torch.where(known, losses, 0.0)


class NormalOutput(DistributionOutput):
    """N(rule + step r_1, (step s e^(r_2))²)."""

    def __init__(self) -> None:
        super().__init__()
        self.start = [0.0, 0.0]

    def distribution(self, raw: Tensor, path: RulePath) -> Distribution:
        """Normal distributions around the corrected rule."""
        return Normal(*_location_scale(raw, path))


class StudentTOutput(DistributionOutput):
    """The same location and standard deviation, and one learned number of degrees of freedom for each step ahead.

    Args:
        horizon: steps ahead.
    """

    def __init__(self, horizon: int) -> None:
        super().__init__()
        self.start = [0.0, 0.0]
        self.log_df = nn.Parameter(torch.full((horizon,), math.log(FIRST_DF - 2.0)))

    def distribution(self, raw: Tensor, path: RulePath) -> Distribution:
        """Student's t distributions around the corrected rule."""
        df = 2.0 + SMALLEST_SHARE + self.log_df.to(raw.dtype).exp()
        return StudentT(*_location_scale(raw, path), df)


class MixtureOutput(DistributionOutput):
    """The same location and standard deviation, around which several normal distributions are mixed.

    Args:
        components: how many, at least two.
    """

    def __init__(self, components: int) -> None:
        super().__init__()
        weights = torch.linspace(0.0, -1.0, components).tolist()
        spreads = torch.linspace(-0.25, 0.4, components).tolist()
        self.start = [0.0, 0.0, *weights, *([0.0] * components), *spreads]

    def distribution(self, raw: Tensor, path: RulePath) -> Distribution:
        """Mixtures around the corrected rule."""
        logits, offsets, spreads = raw[..., 2:].unflatten(-1, (3, -1)).unbind(-2)
        return NormalMixture(*_location_scale(raw, path), logits, offsets, _bounded(spreads).exp())


class LogNormalOutput(DistributionOutput):
    """ln y ~ N(ln rule + a r_1, (a s e^(r_2))²) with a the step as a share of the rule, for targets above zero."""

    positive = True

    def __init__(self) -> None:
        super().__init__()
        self.start = [0.0, 0.0]

    def distribution(self, raw: Tensor, path: RulePath) -> Distribution:
        """Log-normal distributions whose median is the corrected rule."""
        share = path.share
        spread = share * FIRST_SPREAD * _bounded(raw[..., 1]).exp()
        return LogNormal(path.positive.log() + share * raw[..., 0], spread.clamp(1e-6, 5.0))


class NegativeBinomialOutput(DistributionOutput):
    """Counts with mean rule e^(a r_1) and size r_0 e^(r_2), with r_0 such that the first spread is the rule's error."""

    positive = True
    whole = True

    def __init__(self) -> None:
        super().__init__()
        self.start = [0.0, 0.0]

    def distribution(self, raw: Tensor, path: RulePath) -> Distribution:
        """Negative binomial distributions whose mean is the corrected rule."""
        rule = path.positive
        beyond = ((FIRST_SPREAD * path.step).square() - rule).clamp_min(0.05 * rule)
        first = (rule.square() / beyond).clamp(SMALLEST_SIZE, LARGEST_SIZE)
        size = (first * _bounded(raw[..., 1]).exp()).clamp(1e-3, 1e6)
        return NegativeBinomial(rule * (path.share * raw[..., 0]).clamp(-20.0, 20.0).exp(), size)


def build_output(name: str, levels: Sequence[float], horizon: int, components: int) -> Output:
    """The output of this name; see `recurra.learners.schema`."""
    match name:
        case "normal":
            return NormalOutput()
        case "student_t":
            return StudentTOutput(horizon)
        case "mixture":
            return MixtureOutput(components)
        case "log_normal":
            return LogNormalOutput()
        case "negative_binomial":
            return NegativeBinomialOutput()
    return QuantileOutput(levels)


def mean_weights(levels: Sequence[float]) -> list[float]:
    """Weights that make the mean of a distribution from its quantiles: the trapezoid rule, flat tails.

    >>> mean_weights([0.25, 0.5, 0.75])
    [0.375, 0.25, 0.375]
    """
    edges = [0.0, *((a + b) / 2.0 for a, b in pairwise(levels)), 1.0]
    return [b - a for a, b in pairwise(edges)]


def _bounded(x: Tensor) -> Tensor:
    """Nearly x for small x, never beyond 8: what is to be an exponent stays finite."""
    return WIDEST * torch.tanh(x / WIDEST)


def _location_scale(raw: Tensor, path: RulePath) -> tuple[Tensor, Tensor]:
    return path.ahead + path.step * raw[..., 0], path.step * FIRST_SPREAD * _bounded(raw[..., 1]).exp()
