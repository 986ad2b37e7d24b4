"""Fitting once, forecasting from many origins, and never seeing the future."""

import numpy as np
import pytest

from recurra.baselines import Drift, LinearWindow, Naive, SeasonalNaive, forecast_many
from recurra.data.frequency import Frequency
from recurra.data.series import SeriesTable

LEVELS = (0.1, 0.5, 0.9)
RULES = [Naive(), SeasonalNaive(4), Drift(), LinearWindow(8)]


@pytest.fixture
def table(rng):
    lengths = [90, 60, 75]
    return SeriesTable(
        ids=("x", "y", "z"),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        ds=np.concatenate([np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "D") for n in lengths]),
        y=100 + np.cumsum(rng.normal(size=sum(lengths))),
        covariates={},
        frequency=Frequency.parse("D"),
    )


def ends_of(*rows):
    return [np.array(row, dtype=np.int64) for row in rows]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
class TestEveryRule:
    def test_one_origin_is_the_plain_forecast(self, rule, table):
        """Learning from the first origin's history is what an unfitted rule does there."""
        (many,) = forecast_many(rule, table, ends_of([50, 40, 60]), 5, LEVELS)
        plain = rule.forecast(table.truncate([50, 40, 60]), 5, LEVELS)
        np.testing.assert_array_equal(many.quantiles, plain.quantiles)
        np.testing.assert_array_equal(many.ds, plain.ds)

    def test_nothing_after_an_origin_changes_its_forecast(self, rule, table):
        """Every value from the origins on replaced by noise: the same forecasts, bit for bit."""
        ends = ends_of([40, 30, 0], [50, 40, 0], [60, 45, 0])
        before = forecast_many(rule, table, ends, 5, LEVELS)
        for fold, end in enumerate(ends):
            y = table.y.copy()
            for i, rows in enumerate(end):
                start, stop = table.offsets[i] + rows, table.offsets[i + 1]
                y[start:stop] = np.random.default_rng(i).normal(size=stop - start) * 1e9
            changed = SeriesTable(table.ids, table.offsets, table.ds, y, {}, table.frequency)
            after = forecast_many(rule, changed, ends[: fold + 1], 5, LEVELS)
            np.testing.assert_array_equal(after[fold].quantiles, before[fold].quantiles)

    def test_forecasting_leaves_an_unfitted_rule_as_it_was(self, rule, table):
        first = rule.forecast(table, 3, LEVELS).quantiles
        rule.forecast(table.truncate([30, 30, 30]), 3, LEVELS)
        forecast_many(rule, table, ends_of([20, 20, 20]), 3, LEVELS)
        np.testing.assert_array_equal(rule.forecast(table, 3, LEVELS).quantiles, first)

    def test_a_fitted_rule_forecasts_series_it_has_not_seen(self, rule, table):
        """The spread of an unseen series is pooled: positive, and as large as the series' own changes make it."""
        fitted = (
            type(rule)(*([rule.season] if hasattr(rule, "season") else [])) if not hasattr(rule, "context") else None
        )
        fitted = (fitted or LinearWindow(rule.context)).fit(table.select([0, 1]))
        forecasts = fitted.forecast(table, 3, LEVELS)
        assert (forecasts.quantiles[2, :, 2] > forecasts.quantiles[2, :, 0]).all()
        assert np.isfinite(forecasts.quantiles).all()

    def test_no_origins_give_no_forecasts(self, rule, table):
        assert forecast_many(rule, table, [], 3, LEVELS) == []


def test_many_origins_learn_once(table):
    """The offsets of the quantiles from the median are the first origin's, at every origin."""
    first, second = forecast_many(Naive(), table, ends_of([40, 40, 40], [55, 55, 55]), 4, LEVELS)
    np.testing.assert_allclose(
        first.quantiles - first.median[..., None], second.quantiles - second.median[..., None], atol=1e-9
    )
