"""Scores from window errors, by hand, and the verdict."""

import numpy as np
import pytest

from recurra.evaluation.scores import compare, score_windows
from recurra.evaluation.windows import MEASURES, WindowErrors

NAMES = ("network", "naive", "drift")


def window(series_id, fold, absolute, known=1, scale=1.0):
    """A window whose every measure is the absolute error given per forecaster."""
    sums = {name: np.asarray(absolute, dtype=np.float64) for name in MEASURES}
    sums["scaled"] = sums["scaled"] / scale
    return WindowErrors(series_id, fold, "", known, scale, sums, np.zeros((len(absolute), known)))


def test_every_known_target_counts_once():
    """Sums 6 and 2 over 3 and 1 targets: 8 / 4. MASE: 6 / 2 + 2 / 4 over 4. Skill 1 - 2 / 4."""
    scores = score_windows([window("a", 0, [6, 12, 3], 3, 2.0), window("a", 1, [2, 4, 1], 1, 4.0)], NAMES, best=1)
    network = scores["network"]
    assert (network.n, network.mae, network.rmse, network.mase) == (4, 2.0, 2.0**0.5, 3.5 / 4)
    assert (network.skill, scores["naive"].skill, scores["drift"].skill) == (0.5, 0.0, 0.75)


def test_a_window_without_scale_is_left_out_of_mase_only():
    scores = score_windows([window("a", 0, [6, 6, 6]), window("b", 0, [4, 4, 4], scale=np.nan)], NAMES, best=1)
    assert (scores["network"].mae, scores["network"].mase) == (5.0, 6.0)


def test_skill_against_a_perfect_rule():
    """Nothing is better than no error: 0 for a tie, undefined otherwise."""
    scores = score_windows([window("a", 0, [0, 0, 1])], NAMES, best=1)
    assert scores["network"].skill == 0.0
    assert np.isnan(scores["drift"].skill)


@pytest.mark.parametrize(
    ("shift", "verdict"), [(-2.0, "better"), (0.0, "no better"), (2.0, "worse")], ids=["better", "tie", "worse"]
)
def test_the_verdict_follows_the_interval(shift, verdict, rng):
    """30 folds, differences N(shift, 1): ±2 lies 11 standard errors from 0, 0 none."""
    noise = rng.normal(size=30)
    noise -= noise.mean()
    windows = [window("a", fold, [10 + shift + noise[fold], 10, 20]) for fold in range(30)]
    found = compare(windows, NAMES, "MAE")
    assert found.verdict == verdict
    assert found.rule == "naive"
    assert found.interval.estimate == pytest.approx(shift, abs=1e-12)


def test_five_windows_that_agree_are_not_enough_six_are():
    """The sign test's two-sided p is 2 / 2^5 = 0.0625 and 2 / 2^6 = 0.031."""
    windows = [window("a", fold, [1, 10 + fold, 20]) for fold in range(6)]
    assert compare(windows[:5], NAMES, "MAE").verdict == "no better"
    assert compare(windows, NAMES, "MAE").verdict == "better"


def test_the_rule_is_the_best_on_these_windows_unless_named():
    windows = [window("a", fold, [3, 2, 1]) for fold in range(6)]
    assert compare(windows, NAMES, "MAE").rule == "drift"
    assert compare(windows, NAMES, "MAE", rule=1).rule == "naive"


def test_nothing_to_compare_is_no_better():
    found = compare([window("a", 0, [1, 1, 1], scale=np.nan)], NAMES, "MASE")
    assert found.verdict == "no better"
    assert np.isnan(found.network)
