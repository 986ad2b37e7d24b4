"""Scores of made figures: assets of one day count once, sums that overlap once in h days, seeds by their mean."""

import numpy as np
import pytest

from recurra.evaluation.market.days import FIELDS
from recurra.evaluation.market.report import MarketReport
from recurra.evaluation.market.scores import over_seeds, score
from recurra.metrics import kupiec, uniformity, wilson_interval


def made_figures(rng, assets: int = 1, days: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Figures of a forecaster that always says up, and what came; every asset has the same."""
    figures, came = rng.random((1, len(FIELDS), days)), rng.normal(0.1, 1.0, (1, days))
    figures[:, FIELDS.index("up")] = 1.0
    figures[:, FIELDS.index("below_1")] = figures[:, FIELDS.index("pit")] < 0.02
    return np.repeat(figures, assets, axis=0), np.repeat(came, assets, axis=0)


def test_one_asset_is_scored_by_its_days(rng):
    figures, came = made_figures(rng)
    found = score(figures, came, 1)
    hits = int(np.sum(came > 0))
    assert found.right_interval == wilson_interval(hits, 400)
    assert (found.pit_distance, found.pit_p) == uniformity(figures[0, FIELDS.index("pit")])
    assert found.value_at_risk[0] == kupiec(figures[0, FIELDS.index("below_1")] > 0.5, 0.01)


def test_copies_of_an_asset_add_no_evidence(rng):
    """Ten times the same figures: the same p values and intervals."""
    figures, came = made_figures(rng)
    one, ten = score(figures, came, 1), score(np.repeat(figures, 10, axis=0), np.repeat(came, 10, axis=0), 1)
    assert ten.pit_p == pytest.approx(one.pit_p, rel=1e-9)
    assert ten.value_at_risk[0].p_value == pytest.approx(one.value_at_risk[0].p_value)
    assert ten.right_interval == one.right_interval
    assert ten.n == 4000


def test_sums_that_overlap_count_once_in_h_days(rng):
    figures, came = made_figures(rng)
    found = score(figures, came, 5)
    low, high = wilson_interval(round(80 * np.mean(came > 0)), 80)
    assert found.right_interval == (low, high)
    assert np.isnan(score(figures[..., :4], came[:, :4], 5).right_interval).all()


def test_seeds_are_scored_each_and_then_averaged(rng):
    each = [score(*made_figures(rng), 1) for _ in range(3)]
    found = over_seeds(each)
    assert found.qlike == pytest.approx(np.mean([scores.qlike for scores in each]))
    assert found.value_at_risk[0].share == pytest.approx(np.mean([s.value_at_risk[0].share for s in each]))
    assert found.pit_p == each[0].pit_p


def made_report(up: np.ndarray, came: np.ndarray, horizons: tuple[int, ...] = (1,)) -> MarketReport:
    """One asset, one forecaster, who said `up` on the days and what came was `came`."""
    values = np.zeros((1, 1, len(horizons), 1, len(FIELDS), len(up)))
    values[..., FIELDS.index("up"), :] = up
    days = np.datetime64("2020-01-06", "us") + np.arange(len(up)) * np.timedelta64(1, "D")
    returns = np.broadcast_to(came, (len(horizons), 1, 1, len(up)))
    return MarketReport(("network",), ("a",), days, horizons, values, returns, 250, 1, ("network",))


def test_a_hole_that_is_seen_only_afterwards_closes_no_position():
    """Three days up, the second without a known return: one trade, no more."""
    found = made_report(np.ones(3), np.array([1.0, np.nan, 1.0])).long_flat(cost=0.1)
    assert found is not None
    assert (found.trades, found.held) == (1, 1.0)
    assert made_report(np.ones(3), np.ones(3), (5,)).long_flat() is None
