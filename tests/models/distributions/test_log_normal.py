"""The log-normal distribution against scipy's."""

import numpy as np
import pytest
import torch
from scipy import stats

from recurra.models.distributions import LogNormal

VALUES = np.array([0.01, 0.5, 2.0, 30.0])
OURS = LogNormal(torch.tensor(0.4, dtype=torch.float64), torch.tensor(0.9, dtype=torch.float64))
THEIRS = stats.lognorm(0.9, scale=np.exp(0.4))


def test_it_is_scipys():
    values = torch.from_numpy(VALUES)
    np.testing.assert_allclose(OURS.log_prob(values), THEIRS.logpdf(VALUES), rtol=1e-12)
    np.testing.assert_allclose(OURS.cdf(values), THEIRS.cdf(VALUES), rtol=1e-9)
    np.testing.assert_allclose(OURS.quantile((0.05, 0.5, 0.95)), THEIRS.ppf((0.05, 0.5, 0.95)), rtol=1e-9)
    assert float(OURS.mean) == pytest.approx(THEIRS.mean())
    assert float(OURS.cdf(torch.tensor(-1.0, dtype=torch.float64))) == 0.0


def test_a_draw_undoes_the_distribution_function():
    u = torch.tensor([0.001, 0.3, 0.99], dtype=torch.float64)
    wide = LogNormal(OURS.location.expand(3), OURS.spread.expand(3))
    np.testing.assert_allclose(wide.cdf(wide.quantile_at(u)), u, rtol=1e-12)
