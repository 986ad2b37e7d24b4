"""The verdict on made forecasts: none where there is nothing, some where there is; and its tests by hand."""

import numpy as np
import pytest

from recurra.evaluation import diebold_mariano
from recurra.evaluation.market import long_flat
from recurra.evaluation.market.skill import compare_losses, over_assets, return_skill, variance_skill


def test_clark_and_west_by_hand(rng):
    """f = e0² - e1² + (m0 - m)²; its HAC t statistic is that of diebold_mariano against 0."""
    r, m = rng.normal(size=300), 0.1 * rng.normal(size=300)
    zero, one = np.zeros((1, 1, 300)), np.ones((1, 300))
    found = return_skill(r[None], m[None], zero, one)
    expected = diebold_mariano(r**2 - (r - m) ** 2 + m**2, np.zeros(300))
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.gain == pytest.approx(1 - np.sum((r - m) ** 2) / np.sum(r**2))


def test_noise_is_no_skill_and_a_signal_is(rng):
    """1,000 days; a mean that explains 3 % of the variance is found, and useless ones are not in 95 of 100 cases."""
    signal = rng.normal(size=1000)
    r = np.sqrt(0.03) * signal + np.sqrt(0.97) * rng.normal(size=1000)
    zero, one = np.zeros((1, 1, 1000)), np.ones((1, 1000))
    assert return_skill(r[None], np.sqrt(0.03) * signal[None], zero, one).evidence
    useless = [
        return_skill(rng.normal(size=(1, 1000)), 0.05 * rng.normal(size=(1, 1000)), zero, one) for _ in range(100)
    ]
    assert sum(skill.evidence for skill in useless) <= 5


def test_a_noisy_mean_that_holds_a_signal_is_evidence_though_its_errors_are_larger():
    """The mean is the signal, of R2 3 %, and as much noise again: it costs what it brings; Clark and West, table 1."""
    random = np.random.default_rng(1)
    signal, noise = np.sqrt(0.03) * random.normal(size=(2, 1, 2000))
    r = signal + np.sqrt(0.97) * random.normal(size=(1, 2000))
    found = return_skill(r, signal + 1.2 * noise, np.zeros((1, 1, 2000)), np.ones((1, 2000)))
    assert found.gain < 0.0
    assert found.evidence


def test_the_hardest_rule_decides(rng):
    """One rule loses by 1 a day, the other is as good on average."""
    losses, noise = rng.random((1, 500)), rng.normal(size=(1, 500))
    rules = {"far": losses + 1.0 + 0.01 * noise, "near": losses + 0.1 * (noise - noise.mean())}
    found = variance_skill(losses, rules)
    assert found.hardest == "near"
    assert not found.evidence
    assert variance_skill(losses, {"far": rules["far"]}).evidence
    assert not variance_skill(losses[:, :50], {"far": rules["far"][:, :50]}).evidence  # too few days


def test_a_rule_that_is_the_same_is_no_evidence(rng):
    losses = rng.random((1, 300))
    assert variance_skill(losses, {"same": losses.copy()}).p_value == pytest.approx(0.5)
    assert not return_skill(losses, losses * 0, np.zeros((1, 1, 300)), np.ones((1, 300))).evidence


def test_assets_of_one_day_count_as_one():
    values = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]])
    np.testing.assert_array_equal(over_assets(values), [2.0, 5.0, np.nan])
    assert compare_losses(np.tile(np.arange(50.0) % 7, (3, 1)), np.zeros((3, 50))).n == 50


def test_long_flat_pays_for_every_change():
    """Long on days 1, 3 and 4 of +1, -1, +2, +1 percent: 4 percent earned, three changes of 0.1 percent."""
    found = long_flat([1.0, -1.0, 2.0, 1.0], [True, False, True, True], cost=0.1)
    assert found.growth == pytest.approx((4.0 - 0.3) / 4 * 252)
    assert found.growth_held == pytest.approx((3.0 - 0.1) / 4 * 252)
    assert (found.trades, found.held) == (3, 0.75)
