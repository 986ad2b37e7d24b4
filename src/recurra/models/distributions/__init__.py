"""Distributions that a network may put out; all answer with tensors of the parameters' broadcast shape.

Normal, Student-t and mixtures of normals are `mean + std Z` with Z of mean 0 and variance 1, so that what is said of
the first two moments holds whatever the shape. Log-normal, negative binomial, and one known by its quantiles stand
beside.
"""

from recurra.models.distributions.base import Distribution, ScaledDistribution
from recurra.models.distributions.log_normal import LogNormal
from recurra.models.distributions.mixture import NormalMixture
from recurra.models.distributions.negative_binomial import NegativeBinomial
from recurra.models.distributions.normal import Normal
from recurra.models.distributions.piecewise import PiecewiseQuantiles
from recurra.models.distributions.student import StudentT, incomplete_beta

__all__ = [
    "Distribution",
    "LogNormal",
    "NegativeBinomial",
    "Normal",
    "NormalMixture",
    "PiecewiseQuantiles",
    "ScaledDistribution",
    "StudentT",
    "incomplete_beta",
]
