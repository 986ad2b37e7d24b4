"""Window sums are the metrics' own sums."""

import numpy as np
import pytest

from recurra.evaluation.windows import measure_window
from recurra.metrics import coverage, mae, quantile_loss, rmse, smape

LEVELS = (0.1, 0.5, 0.8)


def test_each_sum_over_known_targets_is_what_the_metric_says(rng):
    """The functions of recurra.metrics are the independent formula, one forecaster at a time."""
    actual = rng.normal(size=9)
    actual[[2, 5]] = np.nan
    quantiles = np.sort(rng.normal(size=(3, 9, 3)), axis=-1)
    points = quantiles[..., 1]
    sums, by_step = measure_window(actual, points, quantiles, LEVELS, scale=0.4)
    for place in range(3):
        f, q = points[place], quantiles[place]
        expected = {
            "absolute": mae(actual, f),
            "squared": rmse(actual, f) ** 2,
            "symmetric": smape(actual, f),
            "scaled": mae(actual, f) / 0.4,
            "pinball": quantile_loss(actual, q, LEVELS),
            "inside": coverage(actual, q[:, 0], q[:, -1]),
        }
        assert {name: total[place] / 7 for name, total in sums.items()} == pytest.approx(expected, rel=1e-12)
        np.testing.assert_array_equal(np.isnan(by_step[place]), np.isnan(actual))


def test_zero_forecast_of_zero_costs_nothing():
    """The sMAPE term of y = ŷ = 0 counts as 0 by definition; nothing is divided by 0."""
    sums, _ = measure_window(np.zeros(2), np.zeros((1, 2)), np.zeros((1, 2, 3)), LEVELS, scale=np.nan)
    assert sums["symmetric"] == [0.0]
    assert np.isnan(sums["scaled"]).all()
