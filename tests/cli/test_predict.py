"""recurra predict and recurra backtest: what the library says, as CSV, Parquet, text or JSON."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import recurra

Run = Callable[..., Any]


@pytest.fixture
def expected(model: Path, table: Path) -> pd.DataFrame:
    """What the library itself predicts."""
    found: pd.DataFrame = recurra.load(model).predict(pd.read_csv(table, parse_dates=["ds"]))
    return found


def test_csv_on_standard_output_equals_the_library(
    run: Run, model: Path, table: Path, expected: pd.DataFrame, tmp_path: Path
) -> None:
    found = run("predict", model, table)
    assert (found.code, found.err) == (0, "")
    (tmp_path / "out.csv").write_text(found.out)
    rows = pd.read_csv(tmp_path / "out.csv", parse_dates=["ds"])
    pd.testing.assert_frame_equal(rows, expected, check_dtype=False, rtol=0, atol=1e-12)
    assert found.out.splitlines()[1].startswith("north,2024-03-11,")  # 70 days after 2024-01-01


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_file_by_its_ending(
    run: Run, model: Path, table: Path, expected: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    found = run("predict", model, table, "--out", tmp_path / name)
    assert (found.code, found.out) == (0, "")
    assert "wrote 6 rows" in found.err
    path = tmp_path / name
    rows = pd.read_parquet(path) if name.endswith("parquet") else pd.read_csv(path, parse_dates=["ds"])
    pd.testing.assert_frame_equal(rows, expected, check_dtype=False, rtol=0, atol=1e-12)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_json(run: Run, model: Path, table: Path, expected: pd.DataFrame) -> None:
    result = json.loads(run("predict", model, table, "--json").out)
    assert result["model_hash"] == recurra.load(model).model_hash_
    assert [row["ds"] for row in result["forecasts"][:3]] == ["2024-03-11", "2024-03-12", "2024-03-13"]
    assert [row["forecast"] for row in result["forecasts"]] == expected["forecast"].tolist()


def test_the_future_is_handed_on(run: Run, model_with_future: Path, table: Path, tmp_path: Path) -> None:
    without = run("predict", model_with_future, table)
    assert without.code == 2
    assert "future" in without.err
    lines = [f"{name},2024-03-{day},0" for name in ("north", "south") for day in (11, 12)]
    (tmp_path / "future.csv").write_text("\n".join(["unique_id,ds,holiday", *lines]) + "\n")
    found = run("predict", model_with_future, table, "--future", tmp_path / "future.csv")
    assert found.code == 0
    assert len(found.out.splitlines()) == 1 + 4


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [("out.xlsx", 2, "use .csv or .parquet"), ("none/out.csv", 2, "there is no folder"), ("a.csv", 1, "is a folder")],
)
def test_a_file_that_cannot_be_written_is_refused_first(
    run: Run, tmp_path: Path, name: str, code: int, said: str
) -> None:
    (tmp_path / "a.csv").mkdir()
    found = run("predict", tmp_path / "no model", "t.csv", "--out", tmp_path / name)
    assert (found.code, found.out) == (code, "")
    assert said in found.err


def test_a_missing_and_a_damaged_model_are_named(run: Run, table: Path, tmp_path: Path) -> None:
    assert "there is no model folder at" in run("predict", tmp_path / "none", table).err
    (tmp_path / "model").mkdir()
    found = run("predict", tmp_path / "model", table)
    assert found.code == 1
    assert "manifest.json is missing" in found.err


def test_backtest_says_the_report_and_writes_it(run: Run, table: Path, tmp_path: Path) -> None:
    quick = ("--max-epochs", 1, "--hidden-size", 4, "--context", 14, "--progress", "none")
    out = tmp_path / "report.json"
    found = run("backtest", table, "--horizon", 3, "--folds", 2, "--stride", 4, *quick, "--out", out)
    assert found.code == 0
    report = json.loads(out.read_text())
    assert report["sentence"] in found.out
    assert (report["settings"]["horizon"], report["settings"]["folds"], report["settings"]["stride"]) == (3, 2, 4)
    assert math.isfinite(report["overall"]["network"]["mae"])
    as_json = run("backtest", table, "--horizon", 3, "--folds", 2, "--stride", 4, *quick, "--json")
    assert json.loads(as_json.out) == report  # the same seed, the same model
