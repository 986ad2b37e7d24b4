"""A distribution known by its quantiles: its own inverse, its density the slope, and tails that join smoothly."""

import numpy as np
import pytest
import torch

from recurra.errors import ConfigError
from recurra.models.distributions import PiecewiseQuantiles

LEVELS = (0.1, 0.4, 0.5, 0.9)


def build(quantiles=(-1.0, 0.0, 0.5, 4.0), levels=LEVELS):
    values = torch.tensor(quantiles, dtype=torch.float64)
    return PiecewiseQuantiles(levels, values.expand(7, -1), torch.zeros(7, dtype=torch.float64))


def test_by_hand():
    """Half way between 0.5 at level 0.5 and 4 at 0.9 lies 2.25 at 0.7; the upper tail's s is 3.5 / 0.4 * 0.1."""
    one = build()
    u = torch.tensor([0.7, 0.1, 0.9, 0.95, 0.05, 0.5, 0.4], dtype=torch.float64)
    low, high = -1.0 + (1 / 0.3 * 0.1) * np.log(0.5), 4.0 + (3.5 / 0.4 * 0.1) * np.log(2)
    np.testing.assert_allclose(one.quantile_at(u), [2.25, -1.0, 4.0, high, low, 0.5, 0.0], atol=1e-12)


def test_the_distribution_function_undoes_it_and_the_density_is_its_slope():
    one = build()
    u = torch.tensor([1e-4, 0.08, 0.2, 0.45, 0.6, 0.93, 0.9999], dtype=torch.float64)
    values = one.quantile_at(u)
    np.testing.assert_allclose(one.cdf(values), u, rtol=1e-9)
    slope = (one.cdf(values + 1e-6) - one.cdf(values - 1e-6)) / 2e-6
    np.testing.assert_allclose(one.log_prob(values).exp(), slope, rtol=1e-5)


def test_known_quantiles_come_back_and_others_lie_between():
    one = build()
    assert torch.equal(one.quantile(LEVELS), one.quantiles)
    assert one.quantile((0.45,))[0, 0].item() == pytest.approx(0.25)
    with pytest.raises(ConfigError, match="strictly between 0 and 1"):
        one.quantile((1.0,))


@pytest.mark.parametrize("levels", [(0.5,), (0.25, 0.75)])
def test_equal_quantiles_are_a_point(levels):
    one = build((2.0,) * len(levels), levels)
    u = torch.linspace(0.01, 0.99, 7, dtype=torch.float64)
    np.testing.assert_allclose(one.quantile_at(u), 2.0, atol=1e-9)
    assert one.cdf(one.quantile_at(u)).isfinite().all()
    assert float(one.cdf(torch.full((7,), 3.0, dtype=torch.float64))[0]) > 0.99
