"""recurra tune: trials, the saved model, and a search that goes on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import recurra

Run = Callable[..., Any]
QUICK = ("--horizon", 3, "--max-epochs", 1, "--residual", "naive", "--progress", "none")


def test_the_best_of_the_trials_is_saved(run: Run, table: Path, tmp_path: Path) -> None:
    place = ("--storage", tmp_path / "study.db")
    found = run("tune", table, "--out", tmp_path / "model", "--trials", 1, *place, *QUICK)
    assert found.code == 0
    assert "trial   0  complete" in found.err
    as_json = json.loads(
        run("tune", table, "--out", tmp_path / "model", "--overwrite", "--trials", 2, *place, *QUICK, "--json").out
    )
    assert [trial["number"] for trial in as_json["trials"]] == [0, 1]
    model = recurra.load(tmp_path / "model")
    assert model.model_hash_ == as_json["model_hash"]
    assert model.get_params()["hidden_size"] == as_json["best"]["hidden_size"]
