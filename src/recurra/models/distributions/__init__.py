"""Distributions that a network may put out: a location, a standard deviation and a shape; Normal, Student-t, mixtures.

Each is `mean + std Z` with Z of mean 0 and variance 1, so that what is said of the first two moments holds whatever
the shape. All answer with tensors of the parameters' broadcast shape.
"""

from recurra.models.distributions.base import Distribution
from recurra.models.distributions.mixture import NormalMixture
from recurra.models.distributions.normal import Normal
from recurra.models.distributions.student import StudentT, incomplete_beta

__all__ = ["Distribution", "Normal", "NormalMixture", "StudentT", "incomplete_beta"]
