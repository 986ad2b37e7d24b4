"""The figures of a day: those of scipy for a rule's Student-t, NaN where the day is masked."""

import numpy as np
import pytest
import torch
from scipy import stats

from recurra.evaluation.market.days import FIELDS, Outcome, best_df, measure
from recurra.models.distributions import Normal


def test_measures_of_a_normal_forecast():
    """What was forecast stays known where the outcome is masked."""
    returns, variance = np.array([0.5, np.nan, -2.0]), np.array([1.0, 2.0, np.nan])
    normal = Normal(torch.full((3,), 0.1, dtype=torch.float64), torch.ones(3, dtype=torch.float64))
    found = dict(zip(FIELDS, measure(Outcome(returns, variance), np.full(3, 1.0), normal), strict=True))
    np.testing.assert_allclose(found["nll"], -stats.norm(0.1, 1).logpdf(returns))
    np.testing.assert_allclose(found["gaussian_nll"], found["nll"])
    np.testing.assert_allclose(found["pit"], stats.norm(0.1, 1).cdf(returns))
    np.testing.assert_allclose(found["qlike"], [0.0, 1.0 - np.log(2.0), np.nan])
    np.testing.assert_array_equal(found["below_5"], [0.0, np.nan, 1.0])
    np.testing.assert_array_equal(found["below_1"], [0.0, np.nan, 0.0])
    np.testing.assert_array_equal(found["up"], [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(found["mean"], [0.1, 0.1, 0.1])


def test_degrees_of_freedom_are_found():
    """5,000 draws of a t with 5 degrees of freedom and variance 1."""
    z = np.sqrt(3 / 5) * np.random.default_rng(0).standard_t(5, 5000)
    assert best_df(z) == pytest.approx(5.0, rel=0.2)
