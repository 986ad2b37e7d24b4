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
    assert "Bar of 0.375: 1 of 5 seeds so far, so that no bar is judged yet." in text
    assert "-0.050 (-0.050 to -0.050)" in text
    assert "Horizon 96: below last value; below seasonal naive; below NLinear. Beside its recurrent part off" in text
    assert "the network is better." in text
    assert "All seven columns as seven series, horizon 192; " in text.partition("Not run: ")[2]
    every = {f"seven-96/network/{seed}": better for seed in range(5)}
    text = report({"seven-96/rules": {"rules": rules}, "seven-96/off": errors, **every})
    assert "Bar of 0.375: met, aim of 0.345: missed." in text


def test_a_difference_whose_interval_holds_zero_is_a_tie():
    """Errors that are as often higher as lower than the rules', by turns of 100 windows."""
    flat = {"errors": {"test": " ".join(["0.4"] * 2000)}, "test": {"mse": 0.4, "mae": 0.5}}
    waves = np.tile(np.repeat([0.30, 0.499], 100), 10)
    turns = {"errors": {"test": " ".join(map(str, waves))}, "test": {"mse": 0.3995, "mae": 0.5}}
    rules = dict.fromkeys(("last value", "seasonal naive", "NLinear"), flat)
    own = {f"ot-24/network/{seed}": turns for seed in range(5)}
    text = report({"ot-24/rules": {"rules": rules}, "ot-24/off": flat, **own})
    assert "a tie with last value; a tie with seasonal naive; a tie with NLinear. Beside its recurrent part off" in text
    assert "the network is no better (a tie). Bar of being below all three rules: missed." in text
