"""The report: its tables, its JSON, its words."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from recurra.baselines import Drift, Naive, SeasonalNaive
from recurra.errors import ConfigError
from recurra.evaluation import backtest


@pytest.fixture
def report(walks, tools):
    _, constant_forecasts, levels = tools

    def fit(history):
        return lambda history, future: constant_forecasts(history, 4, [50.0] * history.n_series, half=5.0)

    rules = [Naive(), SeasonalNaive(7), Drift()]
    return backtest(walks, fit, horizon=4, levels=levels, folds=7, season=7, rules=rules)


def test_series_add_up_to_the_whole(report):
    """With equally many targets per series the overall MAE is the mean of the series' MAE."""
    for name in report.names:
        parts = [part[name].mae for part in report.by_series.values()]
        assert report.overall[name].mae == pytest.approx(np.mean(parts), rel=1e-12)
        assert np.mean(report.mae_by_step[name]) == pytest.approx(report.overall[name].mae, rel=1e-12)
        assert sum(part[name].n for part in report.by_series.values()) == report.overall[name].n == 84


def test_the_best_rule_has_the_lowest_mae(report):
    assert report.best_rule == min(report.names[1:], key=lambda name: report.overall[name].mae)
    assert report.overall[report.best_rule].skill == 0.0


@pytest.mark.parametrize(
    ("kind", "native"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame), ("pyarrow", pa.Table)]
)
def test_the_table_has_a_row_per_scope_and_forecaster(report, kind, native):
    table = report.to_table(kind)
    assert isinstance(table, native)
    assert table.shape == (4 * (1 + 3), 11)
    first = {name: table[name][0] for name in ("scope", "forecaster", "mae")}
    if kind == "pyarrow":
        first = {name: value.as_py() for name, value in first.items()}
    assert first == {"scope": "overall", "forecaster": "network", "mae": report.overall["network"].mae}


def test_the_table_is_of_the_kind_that_came_in(report):
    assert isinstance(report.to_table(), pd.DataFrame)


def test_to_dict_is_json(report):
    described = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert described["sentence"] == report.sentence
    assert described["overall"]["network"]["mae"] == report.overall["network"].mae
    assert described["settings"]["folds"] == 7
    assert len(described["windows"]) == 3 * 7
    means = [row["mae"]["naive"] for row in described["windows"]]
    assert np.mean(means) == pytest.approx(report.overall["naive"].mae, rel=1e-12)


def test_unknown_values_are_none_in_json(walks, tools):
    """A history that never changes has no MASE."""
    make_table, constant_forecasts, levels = tools

    def fit(history):
        return lambda history, future: constant_forecasts(history, 4, [2.0])

    report = backtest(make_table({"a": [3.0] * 40}), fit, horizon=4, levels=levels, folds=2, season=7)
    assert report.to_dict()["overall"]["network"]["mase"] is None
    assert "-" in str(report)


def test_the_printed_table(report):
    lines = str(report).splitlines()
    assert lines[0] == (
        "Backtest: 3 series, 7 folds of 4 steps, 84 targets scored, learning once, before the first fold"
    )
    assert " ".join(lines[2].split()) == "MAE RMSE sMAPE % MASE quantile loss in 80 % skill"
    assert [line.split("  ")[0].strip() for line in lines[4:8]] == [
        name + " *" * (name == report.best_rule) for name in report.names
    ]
    assert len({len(line) for line in lines[2:8]}) == 1
    assert lines[-1] == report.sentence
    assert all(line == line.rstrip() for line in lines)


def test_many_series_are_counted_instead_of_listed(tools, rng):
    make_table, constant_forecasts, levels = tools
    table = make_table({f"s{i}": rng.normal(size=50) for i in range(15)})

    def fit(history):
        return lambda history, future: constant_forecasts(history, 4, [0.0] * history.n_series)

    text = str(backtest(table, fit, horizon=4, levels=levels, folds=8, season=7, rules=[Naive()]))
    assert "By series: the network's MAE is lower than that of naive in 15 of 15; taken one by one" in text
    assert "s3 " not in text


def test_the_verdict_of_one_series(report):
    assert report.sentence_for("b").startswith("The network is ")
    with pytest.raises(ConfigError, match="'x' has no scored window"):
        report.sentence_for("x")


def test_a_large_series_does_not_decide_alone(tools, rng):
    """Nine series of size 1 where the network is right and one of size 1e6 where it is wrong: by MAE it is no better or
    worse, by MASE the sentence says the other thing too."""
    make_table, constant_forecasts, levels = tools
    series = {f"s{i}": rng.normal(size=90) for i in range(9)} | {"big": 1e6 * rng.normal(size=90)}

    def fit(history):
        centre = [1e6 if name == "big" else 0.0 for name in history.ids]
        return lambda history, future: constant_forecasts(history, 4, centre)

    report = backtest(make_table(series), fit, horizon=4, levels=levels, folds=12, season=7, rules=[Naive()])
    assert report.comparison.verdict != "better"
    assert report.comparison_scaled.verdict == "better"
    assert "Scaled, so that every series weighs alike: the network is better" in report.sentence
