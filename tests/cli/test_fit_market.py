"""recurra fit --task market and backtest --task market, on made prices."""

import json

import numpy as np
import pandas as pd
import pytest

import recurra

QUICK = ["--hidden-size", 4, "--max-epochs", 1, "--progress", "none"]


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    random = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(0.01 * random.standard_normal(250)))
    path = tmp_path_factory.mktemp("prices") / "prices.csv"
    pd.DataFrame({"ds": pd.bdate_range("2020-01-06", periods=250).strftime("%Y-%m-%d"), "close": close}).to_csv(
        path, index=False
    )
    return path


def test_fit_and_predict(run, prices, tmp_path):
    found = run("fit", prices, "--task", "market", "--out", tmp_path / "model", "--horizons", "1,5", *QUICK)
    assert found.code == 0, found.err
    assert isinstance(recurra.load(tmp_path / "model"), recurra.MarketForecaster)
    told = run("predict", tmp_path / "model", prices, "--json")
    assert [row["days"] for row in json.loads(told.out)["forecasts"]] == [1, 5]
    refused = run("predict", tmp_path / "model", prices, "--future", prices)
    assert (refused.code, "leave out --future" in refused.err) == (2, True)


def test_backtest_gives_the_verdict(run, prices, tmp_path):
    out = tmp_path / "report.json"
    found = run("backtest", prices, "--task=market", "--since", "2020-10-05", "--refit", 100, "--out", out, *QUICK)
    assert found.code == 0, found.err
    assert "evidence of skill" in found.out
    assert json.loads(out.read_text())["evidence"] is False


def test_wrong_words_are_one_line(run, prices, tmp_path):
    found = run("fit", prices, "--task", "juggling", "--out", tmp_path / "model")
    assert (found.code, found.out) == (2, "")
    assert "task 'juggling' is unknown; choose from forecast, market" in found.err
    found = run("fit", prices, "--task", "market", "--out", tmp_path / "model", "--close", "Adj Close")
    assert found.code == 2
    assert "there is no column 'Adj Close'" in found.err
