"""The linear map of the window: it finds exact maps, stands outliers and holes, and never sees the future."""

import numpy as np
import pytest

from recurra.baselines import LinearWindow, Naive
from recurra.baselines.linear import _fair_share, _least_absolute
from recurra.data.frequency import Frequency
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError

NAN = float("nan")


def table(*series):
    y = [np.asarray(one, dtype=np.float64) for one in series]
    return SeriesTable(
        ids=tuple(range(len(y))),
        offsets=np.concatenate([[0], np.cumsum([len(one) for one in y])]).astype(np.int64),
        ds=np.concatenate([np.arange(len(one)) for one in y]),
        y=np.concatenate(y),
        covariates={},
        frequency=Frequency.parse("1"),
    )


def sines(*phases, rows=400):
    """Sines of period 12 around different levels: the next value is a linear map of the last three."""
    return [10 * (i + 1) + np.sin(2 * np.pi * np.arange(rows) / 12 + phase) for i, phase in enumerate(phases)]


def test_it_continues_a_sine():
    """Closed form: sin(t + k) is a linear combination of sin(t) and sin(t - 1); the 1 % ridge leaves a little."""
    whole = sines(0.0, 1.0, 2.0, rows=424)
    forecasts = LinearWindow(24).forecast(table(*(y[:400] for y in whole)), 24, (0.5,))
    np.testing.assert_allclose(forecasts.median, [y[400:] for y in whole], atol=0.05)


@pytest.mark.parametrize("level", [5.0, 0.0], ids=["one sign", "both signs"])
def test_it_is_the_reweighted_ridge_regression(level):
    """One round by hand is plain ridge regression: numpy's solve on the same scaled windows.

    Each window is in units of its own mean |y|, or, where the series crosses zero, all are in the series' mean |y|.
    """
    y = np.random.default_rng(5).normal(level, 1, size=60)
    windows = np.lib.stride_tricks.sliding_window_view(y, 5)
    scale = np.abs(windows[:, :4]).mean(axis=1, keepdims=True)
    unit = scale if level else np.abs(y).mean()
    x = np.c_[(windows[:, :4] - windows[:, 3:4]) / unit, scale / unit]
    target = (windows[:, 4:] - windows[:, 3:4]) / unit
    coefficients, weight = np.zeros((5, 1)), np.ones((len(x), 1))
    for _ in range(5):
        gram = x.T @ (weight * x)
        size = np.mean(np.diag(gram)[:4])
        error = np.abs(target - x @ coefficients)
        coefficients = np.linalg.solve(gram + np.diag([0.01 * size] * 4 + [1e-9 * size]), x.T @ (weight * target))
        weight = 1 / np.maximum(np.abs(target - x @ coefficients), 0.3 * np.median(error))
    found, widening = _least_absolute(table(y), 4, 1)
    np.testing.assert_allclose(found, coefficients, rtol=1e-8)
    assert widening == pytest.approx(np.sqrt(56 / 51), rel=1e-12)


def test_outliers_do_not_bend_it(monkeypatch):
    """A sine with four values at 100 among 600: the error is under half that of least squares (no reweighting)."""
    random = np.random.default_rng(7)
    y = sines(0.0, rows=612)[0]
    spoiled = y.copy()
    spoiled[random.choice(560, 4, replace=False)] = 100.0
    errors = []
    for rounds in (4, 0):
        monkeypatch.setattr("recurra.baselines.linear.ROUNDS", rounds)
        forecast = LinearWindow(24).forecast(table(spoiled[:600]), 12, (0.5,)).median[0]
        errors.append(np.mean(np.abs(forecast - y[600:])))
    assert errors[0] < 0.5 * errors[1]


def test_missing_targets_and_inputs_take_no_part():
    """A sine with a tenth of its rows missing is continued nearly as well as the whole one."""
    random = np.random.default_rng(8)
    whole = sines(0.0, 1.0, rows=412)
    holed = [np.where(random.random(412) < 0.1, NAN, y) for y in whole]
    forecasts = LinearWindow(24).forecast(table(*(y[:400] for y in holed)), 12, (0.5,))
    np.testing.assert_allclose(forecasts.median, [y[400:] for y in whole], atol=0.45)


def test_short_series_get_their_last_value():
    """Declared in the docstring: fewer rows than the context after the first known one, or no window at all."""
    long, short, late = sines(0.0)[0], [1.0, 2.0, 3.0], [NAN] * 30 + [4.0, 6.0]
    forecasts = LinearWindow(12).forecast(table(long, short, late), 3, (0.05, 0.5, 0.95))
    np.testing.assert_array_equal(forecasts.median[1:], [[3.0] * 3, [6.0] * 3])
    few = table(long[:13])
    np.testing.assert_array_equal(
        LinearWindow(12).forecast(few, 3, (0.05, 0.5, 0.95)).quantiles,
        Naive().forecast(few, 3, (0.05, 0.5, 0.95)).quantiles,
    )


def test_one_map_serves_series_of_any_level_and_size():
    """Affine: the map learned on one series, applied to c·y, gives c times the forecast."""
    y = sines(0.3)[0]
    rule = LinearWindow(12).fit(table(y))
    forecast = rule.forecast(table(y, 1e6 * y), 4, (0.5,)).median
    np.testing.assert_allclose(forecast[1], 1e6 * forecast[0], rtol=1e-10)


def test_residuals_need_a_fit():
    with pytest.raises(ConfigError, match="after fit"):
        LinearWindow(3).residuals(np.arange(10.0), 1)


@pytest.mark.parametrize(("counts", "total", "expected"), [([5, 100, 100], 105, 50), ([3, 4], 100, 4), ([0, 0], 10, 1)])
def test_windows_are_shared_out_fairly(counts, total, expected):
    """5 + 50 + 50 = 105; everything fits; nothing to share."""
    assert _fair_share(np.array(counts), total) == expected
