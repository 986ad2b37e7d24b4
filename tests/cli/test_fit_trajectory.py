"""recurra fit --task trajectory, predict, backtest and stream on a table of fixes."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import recurra

Run = Callable[..., Any]
QUICK = ("--horizon", 3, "--context", 6, "--hidden-size", 4, "--max-epochs", 1, "--components", 2)


@pytest.fixture(scope="module")
def fixes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten objects on circles, sixteen fixes each."""
    path = tmp_path_factory.mktemp("tracks") / "tracks.csv"
    lines = ["object,time,x,y"]
    for name in range(10):
        for t in range(16):
            angle = 0.25 * t + name
            lines.append(f"{name},{t + name},{2 * np.sin(angle):.6f},{-2 * np.cos(angle):.6f}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_model_is_trained_predicts_and_streams(
    run: Run, fixes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    found = run("fit", "--task", "trajectory", fixes, "--out", folder, *QUICK)
    assert found.code == 0, found.err
    assert isinstance(recurra.load(folder), recurra.TrajectoryForecaster)
    said = run("predict", folder, fixes)
    assert said.code == 0
    assert said.out.splitlines()[0] == "object,time,step,x,y,sd_x,sd_y,correlation"
    assert len(said.out.splitlines()) == 1 + 10 * 3
    rows = [{"object": "new", "time": float(t), "x": 0.1 * t, "y": 0.0} for t in range(3)]
    text = "".join(json.dumps(row) + "\n" for row in [*rows, rows[2]])
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    live = run("stream", folder)
    answers = [json.loads(line) for line in live.out.splitlines()]
    assert [len(answer.get("forecasts", ())) for answer in answers] == [0, 3, 3, 0]
    assert "seen at that time" in answers[3]["error"]
    assert live.code == 1
    refused = run("stream", folder, "--skipped", "mask")
    assert refused.code == 2
    assert "--skipped is no choice" in refused.err
    future = run("predict", folder, fixes, "--future", fixes)
    assert future.code == 2


def test_a_backtest_prints_its_verdict(run: Run, fixes: Path, tmp_path: Path) -> None:
    found = run("backtest", "--task=trajectory", fixes, "--share", 0.3, "--out", tmp_path / "report.json", *QUICK)
    assert found.code == 0, found.err
    assert "naive rule" in found.out
    assert json.loads((tmp_path / "report.json").read_text())["best_rule"]


def test_a_flag_of_another_task_and_an_unknown_task_are_refused(run: Run, fixes: Path, tmp_path: Path) -> None:
    wrong = run("fit", "--task", "trajectory", fixes, "--out", tmp_path / "model", "--quantiles", 0.5)
    assert wrong.code == 2
    assert "--quantiles" in wrong.err
    unknown = run("fit", "--task", "weather", fixes, "--out", tmp_path / "model")
    assert unknown.code == 2
    assert "choose from forecast, market, trajectory" in unknown.err


def test_settings_come_from_a_toml_table_of_their_own(run: Run, fixes: Path, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text("[trajectory]\nhorizon = 2\ncontext = 6\nhidden_size = 4\nmax_epochs = 1\noutput = 'points'\n")
    found = run("fit", "--task", "trajectory", fixes, "--out", tmp_path / "model", "--config", config)
    assert found.code == 0, found.err
    assert recurra.load(tmp_path / "model").output == "points"
