"""The backtest: what the forecaster is handed, what is scored, and that nothing leaks from the future."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.baselines import Drift, LinearWindow, Naive, SeasonalNaive
from recurra.errors import ConfigError, MissingColumnError, ShapeError, TooShortError
from recurra.evaluation import backtest


def last_value(tools, seen=None):
    """A forecaster that repeats the last value, and writes down what it was handed."""
    _, constant_forecasts, _ = tools

    def fit(history):
        if seen is not None:
            seen.append(("fit", history, None))

        def predict(history, future):
            if seen is not None:
                seen.append(("predict", history, future))
            known = [history.series(i).y for i in range(history.n_series)]
            last = [y[~np.isnan(y)][-1] for y in known]
            return constant_forecasts(history, len(future) // history.n_series, last)

        return predict

    return fit


def run(table, fit, tools, **changed):
    chosen = {"horizon": 5, "levels": tools[2], "folds": 3, "season": 7, "rules": [Naive(), Drift()]} | changed
    return backtest(table, fit, **chosen)


def test_the_forecaster_is_handed_the_past_and_the_future_without_answers(walks, tools):
    """Origins 15, 10 and 5 rows before the end of 90; 5 rows ahead; covariates stay, targets go."""
    seen = []
    run(walks, last_value(tools, seen), tools)
    assert [kind for kind, _, _ in seen] == ["fit", "predict", "predict", "predict"]
    assert seen[0][1].lengths.tolist() == [75] * 3
    for rows, (_, history, future) in zip((75, 80, 85), seen[1:], strict=True):
        assert history.lengths.tolist() == [rows] * 3
        assert future.ids == history.ids
        assert np.isnan(future.y).all()
        assert future.series(0).covariates["row"].tolist() == list(range(rows, rows + 5))
        np.testing.assert_array_equal(future.ds.reshape(3, 5), history.future_ds(5))


def test_only_covariates_known_ahead_are_handed_on(walks, tools):
    """The column "row" stays in the history and leaves the future, unless it is named as known ahead."""
    for named, expected in (((), []), (("row",), ["row"]), (None, ["row"])):
        seen = []
        run(walks, last_value(tools, seen), tools, future_covariates=named)
        assert all(list(future.covariates) == expected for kind, _, future in seen if kind == "predict")
        assert all(list(history.covariates) == ["row"] for _, history, _ in seen)
    with pytest.raises(MissingColumnError, match="'price' is not in the table"):
        run(walks, last_value(tools), tools, future_covariates=["price"])


def test_refit_learns_at_every_fold(walks, tools):
    seen = []
    run(walks, last_value(tools, seen), tools, refit=True)
    assert [(kind, int(history.lengths[0])) for kind, history, _ in seen if kind == "fit"] == [
        ("fit", 75),
        ("fit", 80),
        ("fit", 85),
    ]


def test_refit_every_second_fold_and_a_window_that_slides(walks, tools):
    """Origins at 65, 70, 75, 80, 85 of 90 rows: learned anew at the first, third and fifth; 65 rows each if sliding."""
    for window, lengths in (("expanding", [65, 75, 85]), ("sliding", [65, 65, 65])):
        seen = []
        report = run(walks, last_value(tools, seen), tools, folds=5, refit=2, window=window)
        fitted = [history for kind, history, _ in seen if kind == "fit"]
        assert [int(history.lengths[0]) for history in fitted] == lengths
        assert [history.last_ds[0] for history in fitted] == [walks.series(0).ds[end - 1] for end in (65, 75, 85)]
        assert ("slides" in str(report)) == (window == "sliding")
        assert "every 2 folds" in str(report)


def test_overlapping_folds_are_refused_or_declared(walks, tools):
    """Stride 2, horizon 5: a row lies in up to 3 folds; 3 folds x 3 series x 5 steps are scored."""
    with pytest.raises(ConfigError, match=r"folds overlap.*stride=5.*overlap='declare'"):
        run(walks, last_value(tools), tools, stride=2)
    report = run(walks, last_value(tools), tools, stride=2, overlap="declare")
    assert report.overall["network"].n == 45
    assert "a target is scored up to 3 times" in str(report)
    assert report.to_dict()["settings"]["overlapping"] is True


def test_scores_by_hand(tools):
    """y = 0 1 2 ... 19, last 4 rows in 2 folds of 2: the last value misses by 1 and 2. MASE: the history's steps are 1.
    Drift is exact. Quantiles ± 1 at 0.1, 0.9: errors 1, 2: losses 0.1·(1+1) + 0.5·1 + 0.9·0, ... summed by pinball."""
    make_table, _, _ = tools
    report = run(make_table({"a": np.arange(20.0)}), last_value(tools), tools, horizon=2, folds=2, season=1)
    network = report.overall["network"]
    assert (network.n, network.mae, network.mase) == (4, 1.5, 1.5)
    assert network.rmse == pytest.approx(np.sqrt(2.5), rel=1e-15)
    # targets 16 17 18 19 from 15 15 17 17
    assert network.smape == pytest.approx(np.mean([200 / 31, 400 / 32, 200 / 35, 400 / 36]), rel=1e-12)
    # error 1: quantiles -1, 0, +1 away from the point: 0.1·2, 0.5·1, 0.9·0; error 2: 0.1·3, 0.5·2, 0.9·1
    assert network.quantile_loss == pytest.approx(((0.2 + 0.5 + 0.0) + (0.3 + 1.0 + 0.9)) / 6, rel=1e-12)
    assert network.coverage == 0.5
    assert report.overall["drift"].mae == pytest.approx(0.0, abs=1e-12)
    assert report.best_rule == "drift"
    assert report.mae_by_step["network"] == [1.0, 2.0]


def test_the_last_value_ties_with_the_naive_rule(walks, tools):
    """The same forecasts: difference exactly 0, a tie in words."""
    report = run(walks, last_value(tools), tools, folds=6, rules=[Naive()])
    assert report.comparison.interval.estimate == 0.0
    assert report.overall["network"].skill == 0.0
    assert "no better" in report.sentence
    assert "a tie" in report.sentence


def test_a_forecaster_that_knows_the_process_is_better(tools, rng):
    """White noise around 10: the mean has sqrt(2) times less error than the last value; 40 folds tell."""
    make_table, constant_forecasts, _ = tools

    def fit(history):
        return lambda history, future: constant_forecasts(history, 5, [10.0] * history.n_series)

    report = run(make_table({"a": 10 + rng.normal(size=300)}), fit, tools, folds=40)
    assert report.comparison.verdict == "better"
    assert report.overall["network"].skill == pytest.approx(1 - 1 / np.sqrt(2), abs=0.1)
    assert (
        run(make_table({"a": 10 + rng.normal(size=300)}), last_value(tools), tools, folds=40).comparison.verdict
        != "better"
    )


def test_a_forecaster_that_is_worse_is_called_worse(walks, tools):
    def fit(history):
        return lambda history, future: tools[1](history, 5, [1e6] * history.n_series)

    report = run(walks, fit, tools, folds=8)
    assert report.comparison.verdict == "worse"
    assert "The network is worse than the best naive rule" in report.sentence


@settings(max_examples=30)
@given(fold=st.integers(0, 2), seed=st.integers(0, 1000), refit=st.integers(0, 2), sliding=st.booleans())
def test_nothing_after_an_origin_changes_the_forecasts_at_it(fold, seed, refit, sliding):
    """All values after the fold's origin replaced, by noise or by NaN: what is forecast there stays, bit for bit, for
    the forecaster and for every rule. (The fold's own targets change, so the forecasts are caught, not the scores.)"""
    from recurra.data.frequency import Frequency
    from recurra.data.series import SeriesTable

    random = np.random.default_rng(seed)
    y = 50 + np.cumsum(random.normal(size=120))
    ds = np.datetime64("2024-01-01", "us") + np.arange(60) * np.timedelta64(1, "D")
    table = SeriesTable(("a", "b"), np.array([0, 60, 120]), np.tile(ds, 2), y, {}, Frequency.parse("D"))
    origin = 60 - 4 * (3 - fold)
    after = np.tile(np.arange(60) >= origin, 2)
    noise = random.choice([np.nan, 1e9, -3.0], size=120)
    noise[56:60] = 7.0
    changed = replace(table, y=np.where(after, noise, y))
    window = "sliding" if sliding and refit else "expanding"
    first, second = (_caught(one, refit, window) for one in (table, changed))
    for before, now in zip(first[: 5 * (fold + 1)], second[: 5 * (fold + 1)], strict=True):
        np.testing.assert_array_equal(before, now)


def _caught(table, refit, window):
    """The quantiles of network and rules at each fold, in order."""
    caught = []

    def watched(rule):
        class Watched(type(rule)):
            def forecast(self, history, horizon, levels):
                answer = super().forecast(history, horizon, levels)
                caught.append(answer.quantiles)
                return answer

        watching = Watched.__new__(Watched)
        watching.__dict__.update(rule.__dict__)
        return watching

    def fit(history):
        network = watched(LinearWindow(6)).fit(history)
        return lambda history, future: network.forecast(history, 4, (0.1, 0.5, 0.9))

    rules = [watched(rule) for rule in (Naive(), SeasonalNaive(7), Drift(), LinearWindow(10))]
    levels = (0.1, 0.5, 0.9)
    backtest(table, fit, horizon=4, levels=levels, folds=3, season=7, refit=refit, window=window, rules=rules)
    return caught


def test_missing_targets_are_not_scored(tools, rng):
    """2 of the 15 targets missing: 13 count."""
    make_table, _, _ = tools
    y = 50 + np.cumsum(rng.normal(size=60))
    y[[46, 58]] = np.nan
    report = run(make_table({"a": y}), last_value(tools), tools)
    assert report.overall["network"].n == 13
    assert np.isfinite(report.overall["network"].mae)


def test_a_series_that_cannot_be_scored_is_named(tools, rng):
    """One without any known value before the first origin, one that starts after it."""
    make_table, _, _ = tools
    y = 50 + np.cumsum(rng.normal(size=60))
    report = run(make_table({"a": y, "unknown": np.full(60, np.nan)}), last_value(tools), tools)
    assert report.left_out == ("unknown",)
    assert "Not scored, for want of known rows: 1 series (unknown)" in str(report)


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"horizon": 0}, ConfigError, "horizon"),
        ({"folds": 0}, ConfigError, "folds"),
        ({"stride": 0}, ConfigError, "stride"),
        ({"folds": 50}, TooShortError, "rows"),
        ({"refit": -1}, ConfigError, "refit=-1"),
        ({"window": "rolling"}, ConfigError, "window='rolling'"),
        ({"window": "sliding"}, ConfigError, "refit=1"),
        ({"overlap": "allow"}, ConfigError, "overlap='allow'"),
        ({"rules": []}, ConfigError, "at least one"),
        ({"rules": [Naive(), Naive()]}, ConfigError, "name of its own"),
        ({"levels": ()}, ConfigError, "at least one quantile level"),
        ({"levels": (0.9, 0.1)}, ConfigError, "level"),
    ],
)
def test_bad_settings_are_refused(walks, tools, changed, error, words):
    with pytest.raises(error, match=words):
        run(walks, last_value(tools), tools, **changed)


def test_nothing_to_score_is_refused(tools):
    make_table, _, _ = tools
    with pytest.raises(ConfigError, match="no fold has a known target"):
        run(make_table({"a": [1.0] * 30 + [np.nan] * 15}), last_value(tools), tools)


class TestAnswersThatDoNotFit:
    """A forecaster that answers something else than it was asked is refused, in words."""

    def refused(self, walks, tools, spoil, words):
        def fit(history):
            good = last_value(tools)(history)
            return lambda history, future: spoil(good(history, future))

        with pytest.raises(ShapeError, match=words):
            run(walks, fit, tools)

    def test_other_series(self, walks, tools):
        self.refused(walks, tools, lambda f: replace(f, ids=("a", "b", "x")), "series")

    def test_other_levels(self, walks, tools):
        self.refused(walks, tools, lambda f: replace(f, levels=(0.2, 0.5, 0.8)), "levels")

    def test_other_dates(self, walks, tools):
        self.refused(walks, tools, lambda f: replace(f, ds=f.ds + np.timedelta64(1, "D")), "time stamps")

    def test_nan(self, walks, tools):
        self.refused(walks, tools, lambda f: replace(f, quantiles=f.quantiles * np.nan), "NaN for series 'a'")

    def test_another_order_of_series_is_put_right(self, walks, tools):
        def shuffled(history):
            good = last_value(tools)(history)

            def predict(history, future):
                f, order = good(history, future), [2, 0, 1]
                ids = tuple(f.ids[i] for i in order)
                return replace(f, ids=ids, ds=f.ds[order], quantiles=f.quantiles[order], mean=f.mean[order])

            return predict

        assert run(walks, shuffled, tools).overall == run(walks, last_value(tools), tools).overall


def test_rules_handed_in_are_left_unfitted(walks, tools):
    rule = LinearWindow(5)
    run(walks, last_value(tools), tools, rules=[rule])
    with pytest.raises(ConfigError, match="after fit"):
        rule.residuals(np.arange(20.0), 1)


def test_levels_without_a_median_are_scored_too(walks, tools):
    """The rules' median is their own value all the same: level 0.5 is asked for and left out of the quantile loss."""

    def fit(history):
        good = last_value(tools)(history)

        def predict(history, future):
            f = good(history, future)
            return replace(f, levels=(0.1, 0.9), quantiles=f.quantiles[..., [0, 2]])

        return predict

    report = run(walks, fit, tools, levels=(0.1, 0.9))
    assert report.overall["network"].mae == pytest.approx(report.overall["naive"].mae, rel=1e-12)


@pytest.mark.parametrize(("rows", "context"), [(300, 32), (60, 13)])
def test_the_default_linear_window_fits_the_history(tools, rng, rows, context):
    """Four seasons of 7 are under 32, so 32; with 60 rows the first origin has 45, and (45 - 5) // 3 = 13."""
    make_table, _, _ = tools
    report = run(make_table({"a": rng.normal(size=rows)}), last_value(tools), tools, rules=None)
    assert report.names[1:] == ("naive", "seasonal naive (7)", "drift", f"linear window ({context})")
