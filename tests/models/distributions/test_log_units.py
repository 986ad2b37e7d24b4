"""The exponential of a known distribution: the log-normal one, moved by one, is what a normal one must give."""

import torch

from recurra.models.distributions import LogNormal, Normal
from recurra.models.distributions.log_units import ExpMinusOne

LEVELS = (0.1, 0.5, 0.9)


def made(location=2.0, spread=0.5):
    place, width = torch.tensor([location], dtype=torch.float64), torch.tensor([spread], dtype=torch.float64)
    return ExpMinusOne(Normal(place, width), LEVELS, (0.3, 0.4, 0.3)), LogNormal(place, width)


def test_quantiles_ranks_and_densities_are_those_of_a_log_normal_less_one():
    log_units, log_normal = made()
    value = torch.tensor([9.0], dtype=torch.float64)
    torch.testing.assert_close(log_units.quantile(LEVELS), log_normal.quantile(LEVELS) - 1)
    torch.testing.assert_close(log_units.cdf(value), log_normal.cdf(value + 1))
    torch.testing.assert_close(log_units.rank(value), log_normal.cdf(value + 1))
    torch.testing.assert_close(log_units.log_prob(value), log_normal.log_prob(value + 1))
    u = torch.tensor([0.3], dtype=torch.float64)
    torch.testing.assert_close(log_units.quantile_at(u), log_normal.quantile_at(u) - 1)


def test_the_mean_is_that_of_the_quantiles():
    log_units, log_normal = made()
    expected = (log_normal.quantile(LEVELS) - 1) @ torch.tensor([0.3, 0.4, 0.3], dtype=torch.float64)
    torch.testing.assert_close(log_units.mean, expected)


def test_nothing_lies_below_zero_and_nothing_overflows():
    assert made(-3.0)[0].quantile(LEVELS).min() == 0.0
    assert torch.isfinite(made(900.0)[0].quantile(LEVELS)).all()
