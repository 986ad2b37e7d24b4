"""A model goes through a folder unchanged, and the kept models of old schema versions answer as on their first day."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import recurra
from recurra.checkpoints import SCHEMA_VERSION
from recurra.errors import DamagedModelError, OutputFolderError

MODELS = Path(__file__).parent / "models"
KEPT = sorted(path for path in MODELS.iterdir() if path.is_dir() and path.name.startswith("schema_"))


def test_there_is_a_kept_model_of_this_schema_version():
    assert MODELS / f"schema_{SCHEMA_VERSION}" in KEPT


@pytest.mark.parametrize("folder", KEPT, ids=[path.name for path in KEPT])
def test_a_kept_model_says_what_it_said_when_it_was_made(folder):
    """Batch and stream; the expected numbers were written by make_kept_model.py when the schema version was born."""
    rows = runpy.run_path(str(MODELS.parent / "make_kept_model.py"))["rows"]
    expected = json.loads(folder.with_suffix(".json").read_text())
    model = recurra.load(folder)
    assert model.model_hash_ == expected["model_hash"]
    answer = model.forecasts(rows(0, 60), rows(60, 62, target=False))
    np.testing.assert_allclose(answer.quantiles, expected["quantiles"], rtol=1e-9)
    np.testing.assert_allclose(answer.mean, expected["mean"], rtol=1e-9)
    stream = model.stream(rows(0, 59))
    streamed = stream.update_many(rows(59, 60), rows(60, 62, target=False))
    np.testing.assert_allclose(streamed.quantiles, expected["quantiles"], rtol=1e-9)


@pytest.mark.parametrize("folder", KEPT, ids=[path.name for path in KEPT])
def test_a_kept_model_is_small(folder):
    assert sum(path.stat().st_size for path in folder.iterdir()) < 32_000


def test_a_loaded_model_is_the_saved_one(fitted, table, tmp_path):
    fitted.save(tmp_path / "model", data_name="made up", data_licence="CC0")
    again = recurra.load(tmp_path / "model")
    assert again.get_params() == {**fitted.get_params(), "quantiles": (0.1, 0.5, 0.9)}
    for name in ("model_hash_", "n_parameters_", "frequency_", "season_", "context_", "residual_", "scaling_",
                 "reasons_", "validation_", "history_"):  # fmt: skip
        assert getattr(again, name) == getattr(fitted, name), name
    np.testing.assert_array_equal(again.forecasts(table).quantiles, fitted.forecasts(table).quantiles)
    saved = fitted.stream(table).snapshot()
    np.testing.assert_array_equal(again.restore(saved).forecasts().quantiles, fitted.forecasts(table).quantiles)
    again.save(tmp_path / "again", data_name="made up", data_licence="CC0")
    for name in ("config.json", "model.safetensors", "README.md"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()


def test_a_model_with_everything_goes_through_a_folder(quick, make_table, tmp_path):
    table = make_table(p=np.arange(60.0), f=np.arange(60) % 5, c=np.where(np.arange(60) % 3, "u", "v"))
    covariates = {"past_covariates": ("p",), "future_covariates": ("f", "c")}
    rest = {"residual": "linear", "scaling": "robust", "cell": "lstm", "num_layers": 2, "missing": "mask"}
    model = quick(**covariates, **rest).fit(table)
    model.save(tmp_path / "model")
    again = recurra.load(tmp_path / "model")
    a, b = model.hindcast(table, 40), again.hindcast(table, 40)
    np.testing.assert_array_equal(a.quantiles, b.quantiles)


def test_the_card_names_data_licence_scores_and_command(fitted, tmp_path):
    fitted.save(tmp_path / "model", data_name="made up", data_licence="CC0")
    card = (tmp_path / "model" / "README.md").read_text()
    for part in ("* data: made up", "* licence: CC0", "120 rows of 2 series", "| seasonal naive |", "horizon=3",
                 "recurra.load("):  # fmt: skip
        assert part in card


def test_overwriting_is_asked_for(fitted, quick, table, tmp_path):
    fitted.save(tmp_path / "model")
    other = quick(seed=5).fit(table)
    with pytest.raises(OutputFolderError, match="overwrite"):
        other.save(tmp_path / "model")
    assert recurra.load(tmp_path / "model").model_hash_ == fitted.model_hash_
    other.save(tmp_path / "model", overwrite=True)
    assert recurra.load(tmp_path / "model").model_hash_ == other.model_hash_


def test_an_unknown_task_is_refused_by_name(tmp_path, fitted):
    from recurra.checkpoints import save_checkpoint

    save_checkpoint(tmp_path / "model", config={"task": "juggling"}, tensors={}, card="", overwrite=False)
    with pytest.raises(DamagedModelError, match="names the task 'juggling'; known are forecast"):
        recurra.load(tmp_path / "model")
