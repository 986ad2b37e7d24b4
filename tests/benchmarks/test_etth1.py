"""The ETTh1 protocol on a made-up clock: windows, rules and the linear map on a series that has no noise."""

import numpy as np
import pytest

from benchmarks._etth1_data import END, TEST, TRAINING, Electricity
from benchmarks._etth1_report import report
from benchmarks._etth1_rules import linear_forecasts, path_forecasts, rule_forecasts
from recurra.data import SeriesTable

HORIZON = 30


@pytest.fixture(scope="module")
def daily() -> Electricity:
    """Twenty months of one sine wave a day."""
    y = np.sin(2 * np.pi * np.arange(END) / 24)
    return Electricity(SeriesTable.from_table({"unique_id": ["a"] * END, "ds": np.arange(END), "y": y}, freq="1"))


def test_the_hour_of_the_day_before_and_the_linear_map_know_a_daily_wave(daily):
    """The last value misses a wave of amplitude 1 by 1 - cos(k) at a distance of k, on average over its phases."""
    maps = {"NLinear": linear_forecasts(daily, HORIZON)[0], "recurrent part off": path_forecasts(daily, HORIZON)}
    for name, forecasts in {**rule_forecasts(daily, HORIZON), **maps}.items():
        scores = daily.scores(forecasts, HORIZON, TRAINING - 1)
        steps = np.arange(1, HORIZON + 1)
        expected = float(np.mean(1 - np.cos(2 * np.pi * steps / 24))) if name == "last value" else 0.0
        assert scores["test"]["mse"] == pytest.approx(expected, abs=2e-3), name
        assert len(scores["errors"]["test"].split()) == END - TEST - HORIZON + 1


def test_only_the_part_that_is_scored_counts(daily):
    """Forecasts that are right everywhere but at one origin of the validation part."""
    values = daily.values
    origins = np.arange(TRAINING - 1, END - HORIZON)
    forecasts = np.lib.stride_tricks.sliding_window_view(values, HORIZON, axis=1)[:, origins + 1].copy()
    forecasts[0, 100] += 3.0
    scores = daily.scores(forecasts, HORIZON, TRAINING - 1)
    assert scores["test"]["mse"] == 0.0
    assert scores["validation"]["mse"] == pytest.approx(9.0 / (TEST - TRAINING - HORIZON + 1), abs=1e-5)


def test_the_report_says_what_is_met():
    errors = {"errors": {"test": " ".join(["0.4"] * 2000)}, "test": {"mse": 0.4, "mae": 0.5}}
    better = {"errors": {"test": " ".join(["0.35"] * 2000)}, "test": {"mse": 0.35, "mae": 0.4}}
    rules = dict.fromkeys(("last value", "seasonal naive", "NLinear"), errors)
    text = report({"seven-96/rules": {"rules": rules}, "seven-96/off": errors, "seven-96/network/0": better})
    assert "the bar of 0.375 is met, the aim of 0.345 is missed" in text
    assert "-0.050 (-0.050 to -0.050)" in text
