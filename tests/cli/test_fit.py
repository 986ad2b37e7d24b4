"""recurra fit: a model in its folder, or a clear word and nothing."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import recurra
from recurra.errors import NonFiniteLossError

Run = Callable[..., Any]
QUICK = ("--residual", "naive", "--max-epochs", 1, "--hidden-size", 4, "--context", 14)


def test_a_model_is_trained_and_saved(run: Run, table: Path, tmp_path: Path) -> None:
    found = run("fit", table, "--out", tmp_path / "model", "--horizon", 3, *QUICK)
    assert found.code == 0
    assert found.out.startswith(f"saved {tmp_path / 'model'} (")
    assert "epoch    1  loss" in found.err  # plain lines, for standard error is no terminal here
    model = recurra.load(tmp_path / "model")
    assert (model.horizon, model.hidden_size, model.context) == (3, 4, 14)


def test_several_targets_and_static_columns(run: Run, table: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(table)
    frame = frame.assign(z=2 * frame["y"], region=frame["unique_id"])
    frame.to_csv(tmp_path / "two.csv", index=False)
    flags = ("--y", "y", "--y", "z", "--static-covariates", "region", "--unseen", "ignore", "--scaling", "log")
    assert run("fit", tmp_path / "two.csv", "--out", tmp_path / "model", "--horizon", 3, *flags, *QUICK).code == 0
    found = run("predict", tmp_path / "model", tmp_path / "two.csv")
    assert found.code == 0
    assert {"target", "forecast"} <= set(found.out.splitlines()[0].replace(",", " ").split())


def test_json_out_and_json_lines_err(run: Run, table: Path, tmp_path: Path) -> None:
    found = run("fit", table, "--out", tmp_path / "model", *QUICK, "--json")
    assert found.code == 0
    result = json.loads(found.out)
    assert result["model"] == str(tmp_path / "model")
    assert result["model_hash"] == recurra.load(tmp_path / "model").model_hash_
    assert result["training"]["epochs"] == 1
    events = [json.loads(line) for line in found.err.splitlines()]
    assert [event["event"] for event in events] == ["epoch", "end"]


class Learner:
    """Stands in for the Forecaster: no training, only what `fit` of the command line looks at."""

    def __init__(
        self, ending: str, best_epoch: int = 3, error: Exception | None = None, best_loss: float = 0.5
    ) -> None:
        history = {"ending": ending, "epochs": (1, 2, 3), "best_epoch": best_epoch, "seconds": 1.0}
        self.history_ = SimpleNamespace(**history, best_loss=best_loss)
        self.n_parameters_, self.model_hash_ = 7, "a" * 64
        self.error, self.fitted, self.saved = error, False, False
        self.reasons_: dict[str, str] = {}

    def fit(self, _table: object) -> None:
        self.fitted = True
        if self.error:
            raise self.error

    def save(self, _folder: object, overwrite: bool) -> None:
        self.saved = not overwrite


def stand_in(monkeypatch: pytest.MonkeyPatch, learner: Learner) -> Learner:
    monkeypatch.setattr(recurra, "Forecaster", lambda **_: learner, raising=False)
    return learner


def test_an_interrupted_training_saves_its_best_and_ends_with_130(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    learner = stand_in(monkeypatch, Learner("interrupted"))
    found = run("fit", "t.csv", "--out", tmp_path / "model")
    assert (found.code, learner.saved) == (130, True)
    assert "the best model so far was saved" in found.err


@pytest.mark.parametrize(("best_epoch", "best_loss", "saved"), [(3, 0.5, True), (0, 0.5, True), (0, math.inf, False)])
def test_a_diverged_training_keeps_the_last_good_weights_if_there_are_any(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, best_epoch: int, best_loss: float, saved: bool
) -> None:
    error = NonFiniteLossError("epoch 4, batch 2: the loss is nan; lower the learning rate")
    learner = stand_in(monkeypatch, Learner("loss not finite", best_epoch, error, best_loss))
    found = run("fit", "t.csv", "--out", tmp_path / "model")
    assert (found.code, learner.saved) == (1, saved)
    assert found.err.endswith("recurra: error: epoch 4, batch 2: the loss is nan; lower the learning rate\n")


def test_a_rule_that_stays_is_said(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    learner = stand_in(monkeypatch, Learner("finished", 0))
    learner.reasons_ = {"kept": "the rule itself: 0.1 +- 0.2 is noise"}
    found = run("fit", "t.csv", "--out", tmp_path / "model")
    assert (found.code, learner.saved) == (0, True)
    assert found.out.startswith("kept the rule itself: 0.1 +- 0.2 is noise\nsaved ")
    told = run("fit", "t.csv", "--out", tmp_path / "model", "--json")
    assert json.loads(told.out)["training"]["kept"] == learner.reasons_["kept"]


def test_a_taken_folder_is_refused_before_any_training(
    run: Run, monkeypatch: pytest.MonkeyPatch, model: Path, tmp_path: Path
) -> None:
    learner = stand_in(monkeypatch, Learner("finished"))
    found = run("fit", "t.csv", "--out", model)
    assert found.code == 1
    assert "already holds a model" in found.err
    assert "--overwrite" in found.err
    (tmp_path / "notes.txt").write_text("mine")
    assert run("fit", "t.csv", "--out", tmp_path, "--overwrite").code == 1
    assert not learner.fitted


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--horizon", 0], "horizon"),
        (["--quantiles", "0.5,1.5"], "quantiles"),
        (["--y", "sales"], "sales"),
        (["--future-covariates", "nothing"], "nothing"),
    ],
)
def test_wrong_settings_are_code_2_and_leave_nothing(
    run: Run, table: Path, tmp_path: Path, arguments: list[object], said: str
) -> None:
    found = run("fit", table, "--out", tmp_path / "model", *arguments)
    assert found.code == 2
    assert said in found.err
    assert found.err.count("\n") == 1
    assert not (tmp_path / "model").exists()


def test_a_missing_table_is_code_2(run: Run, tmp_path: Path) -> None:
    found = run("fit", tmp_path / "none.csv", "--out", tmp_path / "model")
    assert found.code == 2
    assert "none.csv: there is no such file" in found.err
