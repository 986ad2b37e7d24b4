"""Scores of variances and of value at risk, against figures worked out by hand or by scipy."""

import numpy as np
import pytest
from scipy import stats

from recurra.errors import ConfigError, ShapeError
from recurra.metrics import gaussian_nll, kupiec, qlike, uniformity, wilson_interval


def test_qlike_is_lowest_at_the_true_mean(rng):
    variance = rng.chisquare(5, 4000) / 5
    losses = [qlike(variance, np.full(4000, h)).mean() for h in (0.8 * variance.mean(), variance.mean(), 1.2)]
    assert losses[1] == min(losses)
    assert qlike([2.0], [1.0])[0] == pytest.approx(2.0 - np.log(2.0) - 1.0)
    with pytest.raises(ShapeError):
        qlike([1.0, 2.0], [1.0])


def test_gaussian_nll_is_scipys(rng):
    y = rng.normal(size=20)
    np.testing.assert_allclose(gaussian_nll(y, 0.3, 2.0), -stats.norm(0.3, np.sqrt(2.0)).logpdf(y), rtol=1e-12)


def test_kupiec_is_the_likelihood_ratio_of_its_definition():
    """Ten violations in 250 days at 1 %: LR 12.96, a textbook example (Jorion, Value at Risk, chapter 6)."""
    found = kupiec([True] * 10 + [False] * 240, 0.01)
    assert stats.chi2(1).isf(found.p_value) == pytest.approx(12.96, abs=0.01)
    assert (found.share, found.n) == (0.04, 250)
    assert np.isnan(kupiec([], 0.05).p_value)
    assert kupiec([False] * 100, 0.01).p_value == pytest.approx(stats.chi2(1).sf(-200 * np.log(0.99)))
    with pytest.raises(ConfigError, match="level is 1"):
        kupiec([True], 1.0)


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (7, 10), (543, 1000), (10, 10)])
def test_wilson_is_scipys(hits, n):
    expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson_interval(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_always_up_has_the_interval_of_the_anchors():
    """54.3 % of 3,270 days, 2010-22: 52.6 to 56.0 (computed for the project)."""
    low, high = wilson_interval(round(0.543 * 3270), 3270)
    assert (low, high) == pytest.approx((0.526, 0.560), abs=5e-4)


def test_uniformity_is_kolmogorovs(rng):
    u = rng.random(500) ** 1.1
    distance, p = uniformity(u)
    expected = stats.kstest(u, "uniform")
    assert distance == pytest.approx(expected.statistic, abs=1e-12)
    assert p == pytest.approx(expected.pvalue, abs=0.01)
    assert np.isnan(uniformity([])[1])
