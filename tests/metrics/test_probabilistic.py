"""Scores of quantiles and intervals against hand-computed numbers and closed forms, and their properties."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recurra.errors import ConfigError, ShapeError
from recurra.metrics import (
    coverage,
    crps_from_quantiles,
    interval_width,
    mae,
    pinball,
    quantile_loss,
    weighted_quantile_loss,
)

NAN = float("nan")
VALUES = st.floats(-1e6, 1e6)
SCORES = [quantile_loss, weighted_quantile_loss, crps_from_quantiles]


def test_pinball_by_hand():
    """y = 10: below q = 12 at 0.9 costs 2·0.1, above q = 7 at 0.1 costs 3·0.1, above q = 7 at 0.9 costs 3·0.9."""
    losses = pinball([10.0, 10.0], [[7.0, 12.0], [10.0, 7.0]], (0.1, 0.9))
    np.testing.assert_allclose(losses, [[0.3, 0.2], [0.0, 2.7]], rtol=1e-14)
    assert quantile_loss([10.0, 10.0], [[7.0, 12.0], [10.0, 7.0]], (0.1, 0.9)) == pytest.approx(0.8, rel=1e-14)


def test_weighted_quantile_loss_by_hand():
    """Losses summed 3.2, twice that over |10| + |10| over 2 levels: 6.4 / 20 / 2."""
    score = weighted_quantile_loss([10.0, 10.0], [[7.0, 12.0], [10.0, 7.0]], (0.1, 0.9))
    assert score == pytest.approx(0.16, rel=1e-14)
    assert np.isnan(weighted_quantile_loss([0.0], [[1.0]], (0.5,)))


def test_coverage_and_width_by_hand():
    """Four known targets, ends count as inside: 3 of 4; widths 2 2 2 6, the missing one's 100 left out."""
    actual, lower, upper = [0, 1, 2, 9, NAN], [0, 0, 0, 0, 0], [2, 2, 2, 6, 100]
    assert coverage(actual, lower, upper) == 0.75
    assert interval_width(actual, lower, upper) == 3.0


@pytest.mark.parametrize("y", [-1.3, 0.0, 2.1])
def test_crps_of_a_normal_forecast_is_the_closed_form(y):
    """Gneiting & Raftery 2007, section 4.2: CRPS(N(0,1), y) = y (2Φ(y) - 1) + 2φ(y) - 1/√π."""
    normal = NormalDist()
    levels = (np.arange(2000) + 0.5) / 2000
    quantiles = np.array([[normal.inv_cdf(level) for level in levels]])
    expected = y * (2 * normal.cdf(y) - 1) + 2 * normal.pdf(y) - 1 / np.sqrt(np.pi)
    assert crps_from_quantiles([y], quantiles, levels) == pytest.approx(expected, abs=1e-3)


def test_crps_weighs_uneven_levels_by_their_share():
    """Levels 0.2 and 0.6 own [0, 0.4] and [0.4, 1]; y = 1, q = 0 and 0: 2 (0.4·0.2 + 0.6·0.6) = 0.88."""
    assert crps_from_quantiles([1.0], [[0.0, 0.0]], (0.2, 0.6)) == pytest.approx(0.88, rel=1e-14)


@given(hnp.arrays(np.float64, (4, 3), elements=VALUES), hnp.arrays(np.float64, (4, 3), elements=VALUES))
def test_the_median_alone_gives_the_mae(actual, forecast):
    """ρ at 0.5 is half the absolute error."""
    expected = mae(actual, forecast)
    assert 2 * quantile_loss(actual, forecast[..., None], (0.5,)) == pytest.approx(expected, rel=1e-12)
    assert crps_from_quantiles(actual, forecast[..., None], (0.5,)) == pytest.approx(expected, rel=1e-12)


@given(hnp.arrays(np.float64, 30, elements=st.floats(-1e3, 1e3)), st.sampled_from([0.1, 0.5, 0.8]), VALUES)
def test_the_empirical_quantile_has_the_smallest_loss(sample, level, other):
    """Koenker & Bassett 1978: a sample quantile minimises the summed pinball loss."""
    best = np.quantile(sample, level, method="inverted_cdf")
    at = [quantile_loss(sample, np.full((30, 1), value), (level,)) for value in (best, other)]
    assert at[0] <= at[1] * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize("score", SCORES)
def test_missing_targets_change_nothing(score):
    """A row whose target is NaN gives the same score as the table without that row."""
    random = np.random.default_rng(3)
    actual, quantiles = random.normal(size=(5, 4)), np.sort(random.normal(size=(5, 4, 3)), axis=-1)
    holes = random.random((5, 4)) < 0.4
    kept = score(actual[~holes], quantiles[~holes], (0.1, 0.5, 0.9))
    assert score(np.where(holes, NAN, actual), quantiles, (0.1, 0.5, 0.9)) == pytest.approx(kept, rel=1e-12)
    assert np.isnan(score([NAN], [[1.0, 2.0, 3.0]], (0.1, 0.5, 0.9)))
    assert np.isnan(score([1.0], [[1.0, NAN, 3.0]], (0.1, 0.5, 0.9)))


def test_no_known_target_or_a_missing_end_gives_nan():
    assert np.isnan(coverage([NAN], [0], [1]))
    assert np.isnan(interval_width([NAN], [0], [1]))
    assert np.isnan(coverage([1.0], [NAN], [1]))


@pytest.mark.parametrize("levels", [(), (0.5, 0.5), (0.9, 0.1), (0.0, 0.5), (0.5, 1.0), (NAN,)])
def test_bad_levels_are_refused(levels):
    with pytest.raises(ConfigError, match="levels"):
        pinball([1.0], np.zeros((1, len(levels))), levels)


def test_bad_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"quantiles have shape \(2, 1\)"):
        pinball([1.0, 2.0], np.zeros((2, 1)), (0.1, 0.9))
    with pytest.raises(ShapeError, match="must agree"):
        coverage([1.0], [1.0, 2.0], [1.0])
