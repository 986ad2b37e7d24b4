"""Conformal margins by hand, and the coverage that they promise on exchangeable values."""

import numpy as np
import pytest

from recurra.prediction.conformal import Conformal

LEVELS = (0.1, 0.5, 0.9)


def test_margins_by_hand():
    """Nine scores 1 ... 9 at each level: the ceil(10 x 0.9)-th is 9, the floor(10 x 0.1)-th is 1; the median stays."""
    quantiles = np.zeros((9, 1, 3))
    actual = np.arange(1.0, 10.0)[::-1, None] * 2.0
    fitted = Conformal.fit(LEVELS, quantiles, actual, np.full(9, 2.0))
    assert fitted.margins.tolist() == [[1.0, 0.0, 9.0]]
    moved = fitted.apply(np.array([[[-1.0, 0.0, 1.0]]]), np.array([0.5]))
    assert moved.tolist() == [[[-0.5, 0.0, 5.5]]]


def test_quantiles_that_would_cross_are_pushed_outwards():
    fitted = Conformal(LEVELS, np.array([[3.0, 0.0, -9.0]]), 5)
    assert fitted.apply(np.array([[[-1.0, 0.0, 1.0]]]), np.ones(1)).tolist() == [[[0.0, 0.0, 0.0]]]


def test_missing_values_take_no_part_and_a_step_without_any_is_left_alone():
    actual = np.array([[1.0, np.nan], [np.nan, np.nan], [2.0, np.nan]])
    fitted = Conformal.fit(LEVELS, np.zeros((3, 2, 3)), actual, np.ones(3))
    assert fitted.margins[1].tolist() == [0.0, 0.0, 0.0]
    assert fitted.margins[0].tolist() == [1.0, 0.0, 2.0]


@pytest.mark.parametrize("wrong", [0.3, 3.0])
def test_coverage_of_exchangeable_values_is_at_least_the_level(wrong):
    """Forecasts whose spread is wrong by a factor; the share below each moved quantile, over many new values."""
    rng = np.random.default_rng(0)
    scales = np.exp(rng.normal(size=4400))
    quantiles = wrong * scales[:, None, None] * np.array([-1.2816, 0.0, 1.2816])
    actual = scales[:, None] * rng.normal(size=(4400, 1))
    fitted = Conformal.fit(LEVELS, quantiles[:400], actual[:400], scales[:400])
    moved = fitted.apply(quantiles[400:], scales[400:])
    share = (actual[400:, :, None] <= moved).mean(axis=(0, 1))
    np.testing.assert_allclose(share, LEVELS, atol=0.03)
