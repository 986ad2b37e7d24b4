"""Bootstraps and the Diebold-Mariano test: closed forms, scipy as an independent reference, size under the null."""

import numpy as np
import pytest
from scipy import stats

from recurra.errors import ConfigError, ShapeError
from recurra.evaluation import clustered_bootstrap, diebold_mariano, moving_block_bootstrap
from recurra.evaluation._student import two_sided_p, upper_quantile

NAN = float("nan")


@pytest.mark.parametrize("dof", [1, 2, 3, 4, 5, 10, 29, 150, 2095])
def test_students_t_agrees_with_scipy(dof):
    for t in (0.0, 0.1, 1.0, 2.5, 10.0):
        assert two_sided_p(t, dof) == pytest.approx(2 * stats.t.sf(t, dof), abs=1e-12)
        assert two_sided_p(-t, dof) == two_sided_p(t, dof)
    assert upper_quantile(0.025, dof) == pytest.approx(stats.t.isf(0.025, dof), rel=1e-9)


class TestClusteredBootstrap:
    def test_one_window_per_series_gives_the_t_interval(self, rng):
        """For a mean of many independent normal values the expanded percentile interval is the t interval."""
        d = rng.normal(0.3, 1.0, size=200)
        found = clustered_bootstrap(d[:, None], np.ones((200, 1)), resamples=20_000)
        half = stats.t.isf(0.025, 199) * d.std(ddof=1) / np.sqrt(200)
        assert found.estimate == pytest.approx(d.mean(), rel=1e-12)
        assert found.lower == pytest.approx(d.mean() - half, abs=0.1 * half)
        assert found.upper == pytest.approx(d.mean() + half, abs=0.1 * half)

    def test_windows_count_by_their_known_targets(self):
        """(3 + 10) / (1 + 4) by hand; the window with count 0 does not count."""
        found = clustered_bootstrap([[3.0], [10.0], [0.0]], [[1], [4], [0]])
        assert found.estimate == 2.6
        assert found.blocks == 2

    def test_a_shared_fold_effect_widens_the_interval(self, rng):
        """100 series that all shift together by fold say little more than 10 values: standard error 1 / sqrt(10)."""
        d = rng.normal(size=(1, 10)) + 0.01 * rng.normal(size=(100, 10))
        both = clustered_bootstrap(d, np.ones_like(d))
        assert both.upper - both.lower > 2 * 1.5 * d.mean(axis=0).std(ddof=1) / np.sqrt(10)

    def test_the_interval_covers_zero_as_often_as_it_says(self, rng):
        """300 samples of 12 normal differences without effect: 95 % of the intervals must hold 0, give or take 3
        standard errors of 1.3 % and the percentile interval's known lack of 1 to 2 %."""
        held = 0
        for seed in range(300):
            interval = clustered_bootstrap(rng.normal(size=(12, 1)), np.ones((12, 1)), resamples=500, seed=seed)
            held += not interval.excludes_zero
        assert 0.90 < held / 300 < 0.99

    def test_equal_forecasters_tie_exactly(self):
        found = clustered_bootstrap(np.zeros((8, 3)), np.ones((8, 3)))
        assert (found.estimate, found.lower, found.upper) == (0.0, 0.0, 0.0)
        assert not found.excludes_zero

    def test_the_same_seed_gives_the_same_interval(self, rng):
        d = rng.normal(size=(9, 4))
        assert clustered_bootstrap(d, np.ones_like(d), seed=3) == clustered_bootstrap(d, np.ones_like(d), seed=3)
        assert clustered_bootstrap(d, np.ones_like(d), seed=3) != clustered_bootstrap(d, np.ones_like(d), seed=4)

    def test_one_window_has_no_interval(self):
        found = clustered_bootstrap([[2.0]], [[4]])
        assert (found.estimate, found.blocks) == (0.5, 1)
        assert np.isnan([found.lower, found.upper]).all()
        assert not found.excludes_zero

    def test_bad_input_is_refused(self):
        with pytest.raises(ShapeError, match="series, fold"):
            clustered_bootstrap([1.0, 2.0], [1, 1])
        with pytest.raises(ConfigError, match="level is 95"):
            clustered_bootstrap([[1.0], [2.0]], [[1], [1]], level=95)


class TestMovingBlocks:
    def test_independent_days_give_the_t_interval(self, rng):
        d = rng.normal(-0.2, 1.0, size=400)
        found = moving_block_bootstrap(d, block_length=1, resamples=20_000)
        half = stats.t.isf(0.025, 399) * d.std(ddof=1) / np.sqrt(400)
        assert found.lower == pytest.approx(d.mean() - half, abs=0.1 * half)
        assert found.upper == pytest.approx(d.mean() + half, abs=0.1 * half)

    def test_blocks_see_the_dependence_from_day_to_day(self, rng):
        """AR(1) with 0.8: the mean's standard error is sqrt((1 + 0.8) / (1 - 0.8)) = 3 times that of independent days.
        Single days miss that; blocks of 30 days see most of it."""
        d = np.zeros(3000)
        for t in range(1, 3000):
            d[t] = 0.8 * d[t - 1] + rng.normal()
        single, blocks = (moving_block_bootstrap(d, block_length=b) for b in (1, 30))
        assert 2.2 < (blocks.upper - blocks.lower) / (single.upper - single.lower) < 3.4

    def test_missing_days_take_no_part(self):
        """Mean of 1 and 3 by hand."""
        assert moving_block_bootstrap([1.0, NAN, 3.0, NAN], block_length=1).estimate == 2.0

    def test_the_default_block_grows_with_the_cube_root(self):
        """1.5 · 1000^(1/3) = 15 days; 66 blocks."""
        assert moving_block_bootstrap(np.arange(1000.0)).blocks == 66

    def test_bad_input_is_refused(self):
        with pytest.raises(ShapeError, match="one series"):
            moving_block_bootstrap(np.zeros((3, 2)))
        for length in (0, 4):
            with pytest.raises(ConfigError, match=f"block_length is {length}"):
                moving_block_bootstrap(np.zeros(3), block_length=length)

    @pytest.mark.parametrize("d", [[], [NAN, NAN], [1.0]])
    def test_too_little_has_no_interval(self, d):
        assert np.isnan(moving_block_bootstrap(d).lower)


class TestDieboldMariano:
    def test_without_lags_it_is_the_paired_t_test(self, rng):
        """h = 1 and no autocovariance: DM* is the paired t statistic, by algebra: the variance by n, corrected by
        (n - 1) / n."""
        a, b = rng.normal(1, 1, size=(2, 40))
        found, reference = diebold_mariano(a, b, lags=0), stats.ttest_rel(a, b)
        assert found.statistic == pytest.approx(reference.statistic, rel=1e-10)
        assert found.p_value == pytest.approx(reference.pvalue, rel=1e-9)

    def test_by_hand_with_one_lag(self):
        """d = 2 0 1 1: mean 1, γ0 = 2 / 4, γ1 = -1 / 4, V = 0.5 - 2·0.5·0.25 = 0.25, DM = 1 / sqrt(0.25 / 4) = 4;
        h = 2: factor sqrt((4 + 1 - 4 + 2 / 4) / 4) = sqrt(0.375)."""
        found = diebold_mariano([2, 0, 1, 1], [0, 0, 0, 0], horizon=2, lags=1)
        assert found.mean_difference == 1.0
        assert found.statistic == pytest.approx(4 * np.sqrt(0.375), rel=1e-12)
        assert found.p_value == pytest.approx(2 * stats.t.sf(4 * np.sqrt(0.375), 3), rel=1e-10)

    def test_default_lags(self, rng):
        """floor(4 (400 / 100)^(2/9)) = 5; a horizon of 14 asks for 13."""
        a, b = rng.normal(size=(2, 400))
        assert diebold_mariano(a, b).lags == 5
        assert diebold_mariano(a, b, horizon=14).lags == 13

    def test_it_rejects_a_true_null_as_often_as_it_says(self, rng):
        """400 pairs of equally good forecasters: 5 % rejected, give or take 3 standard errors of 1.1 %."""
        p = [diebold_mariano(*rng.normal(size=(2, 60)), lags=2).p_value for _ in range(400)]
        assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09

    @pytest.mark.parametrize("horizon", [5, 22])
    def test_overlapping_sums_are_rejected_as_often_as_it_says(self, rng, horizon):
        """1,000 sums over the next days of white noise, 400 draws: one-sided 5 % rejected, give or take 3 standard
        errors of 1.1 %. Bartlett's kernel with h - 1 lags rejects 10 %."""
        t = []
        for _ in range(400):
            sums = np.convolve(rng.normal(size=999 + horizon), np.ones(horizon), "valid")
            t.append(diebold_mariano(sums, np.zeros(1000), horizon=horizon).statistic)
        assert 0.02 < np.mean(np.array(t) > stats.t.isf(0.05, 999)) < 0.083

    def test_a_variance_that_is_not_positive_takes_bartletts_kernel(self):
        """d = 1 -1 1 -1 ...: γ_l = (-1)^l (1 - l / n), so V with weights of 1 is 1 - 2 (19 - 18 + 17) / 20 < 0."""
        d = np.tile([1.0, -1.0], 10) + 0.1
        assert np.isfinite(diebold_mariano(d, np.zeros(20), horizon=4).statistic)

    def test_losses_that_never_differ_tie(self):
        found = diebold_mariano([1, 2, 3], [1, 2, 3])
        assert (found.statistic, found.p_value) == (0.0, 1.0)

    def test_a_constant_difference_is_certain(self):
        found = diebold_mariano([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
        assert (found.statistic, found.p_value) == (-np.inf, 0.0)

    def test_missing_times_are_left_out(self, rng):
        a, b = rng.normal(size=(2, 30))
        holed = np.insert(a, 10, NAN), np.insert(b, 10, 1.0)
        assert diebold_mariano(*holed) == diebold_mariano(a, b)

    def test_bad_input_is_refused(self):
        with pytest.raises(ShapeError, match="same length"):
            diebold_mariano([1, 2], [1, 2, 3])
        with pytest.raises(ShapeError, match="at least 2"):
            diebold_mariano([1.0, NAN], [1.0, 2.0])
        for arguments in ({"horizon": 0}, {"lags": 3}, {"horizon": 3}):
            with pytest.raises(ConfigError, match="do not fit 3 pairs"):
                diebold_mariano([1, 2, 4], [1, 1, 1], **arguments)
