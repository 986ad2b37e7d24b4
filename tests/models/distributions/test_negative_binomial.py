"""The negative binomial distribution against scipy's, and its limit, Poisson's."""

import numpy as np
import pytest
import torch
from scipy import stats

from recurra.models.distributions import NegativeBinomial

COUNTS = np.array([0.0, 1.0, 3.0, 17.0, 400.0])


def both(mean, size):
    tensors = (torch.tensor(value, dtype=torch.float64) for value in (mean, size))
    return NegativeBinomial(*tensors), stats.nbinom(size, size / (size + mean))


@pytest.mark.parametrize(("mean", "size"), [(0.3, 0.7), (5.0, 2.5), (90.0, 0.4), (4.0, 3000.0)])
def test_it_is_scipys(mean, size):
    ours, theirs = both(mean, size)
    counts = torch.from_numpy(COUNTS)
    np.testing.assert_allclose(ours.log_prob(counts), theirs.logpmf(COUNTS), rtol=1e-9)
    np.testing.assert_allclose(ours.cdf(counts), theirs.cdf(COUNTS), rtol=1e-9)
    levels = (0.01, 0.1, 0.5, 0.9, 0.999)
    np.testing.assert_array_equal(ours.quantile(levels), theirs.ppf(levels))
    assert ours.cdf(torch.tensor(-1.0, dtype=torch.float64)) == 0.0


def test_a_large_size_is_a_poisson_distribution():
    ours, _ = both(3.0, 1e6)
    np.testing.assert_allclose(
        ours.log_prob(torch.from_numpy(COUNTS[:4])), stats.poisson(3).logpmf(COUNTS[:4]), rtol=1e-4
    )


def test_ranks_lie_in_the_middle_of_a_count():
    ours, theirs = both(5.0, 2.5)
    assert float(ours.rank(torch.tensor(3.0, dtype=torch.float64))) == pytest.approx(
        (theirs.cdf(2) + theirs.cdf(3)) / 2
    )


def test_parameters_have_gradients():
    parts = [torch.tensor([2.0, 30.0], dtype=torch.float64, requires_grad=True) for _ in range(2)]
    counts = torch.tensor([0.0, 41.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda m, r: NegativeBinomial(m, r).log_prob(counts).sum(), parts)
