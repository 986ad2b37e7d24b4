"""Tuning tries settings on held-out past rows, prunes, goes on from its storage, and is quiet."""

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.data import SeriesTable
from recurra.errors import ConfigError
from recurra.learners.fitting import fit_forecaster
from recurra.learners.tuning import _Pruning

SPACE = {"hidden_size": [2, 4], "learning_rate": (1e-3, 1e-2, "log"), "num_layers": (1, 2)}


def test_it_fits_the_best_of_its_trials(quick, table, capfd) -> None:
    # expected: the same settings fitted by hand; nothing is printed
    tuned = quick().tune(table, 3, space=SPACE)
    assert [trial["state"] for trial in tuned.trials] == ["complete"] * 3
    lowest = min(tuned.trials, key=lambda trial: trial["loss"])
    assert tuned.best == {name: lowest[name] for name in SPACE}
    assert tuned.model.model_hash_ == quick(**tuned.best).fit(table).model_hash_
    frame = tuned.to_table()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["number"]) == [0, 1, 2]
    assert capfd.readouterr() == ("", "")


def test_it_goes_on_from_its_storage(quick, table, tmp_path) -> None:
    place = str(tmp_path / "study.db")
    first = quick().tune(table, 2, space=SPACE, storage=place)
    more = quick().tune(table, 3, space=SPACE, storage=place)
    assert [trial["loss"] for trial in more.trials[:2]] == [trial["loss"] for trial in first.trials]
    assert len(more.trials) == 3


def test_another_search_in_the_same_storage_is_refused(quick, table, make_table, tmp_path) -> None:
    # expected: the part that differs is named, and nothing is mixed
    place = str(tmp_path / "study.db")
    space = {"hidden_size": [2, 4]}
    quick().tune(table, 1, space=space, storage=place)
    others = [
        ("table", quick(), make_table(n=61), space),
        ("settings", quick(batch_size=8), table, space),
        ("space", quick(), table, {"hidden_size": [2, 8]}),
    ]
    for word, model, rows, other in others:
        with pytest.raises(ConfigError, match=f"another {word} "):
            model.tune(rows, 2, space=other, storage=place)
    assert len(quick().tune(table, 2, space=space, storage=place, name="another").trials) == 2


def test_the_default_space_serves_a_short_table(make_table, capfd) -> None:
    # expected: 60 rows and 7 steps leave windows of at most 53; a trial that cannot be run fails and says why
    model = recurra.Forecaster(horizon=7, max_epochs=1, residual="naive", quantiles=(0.1, 0.5, 0.9))
    tuned = model.tune(make_table("a", n=60), 3)
    assert {trial["state"] for trial in tuned.trials} <= {"complete", "pruned"}
    assert all(trial["context"] <= 53 for trial in tuned.trials)
    assert capfd.readouterr() == ("", "")


def test_a_trial_that_cannot_be_run_fails_alone(quick, table, capfd) -> None:
    # expected: 60 rows are too few for a context of 100; the others go on
    tuned = quick().tune(table, 4, space={"context": [10, 100], "hidden_size": [2, 3]}, seed=1)
    failed = [trial for trial in tuned.trials if trial["state"] == "fail"]
    assert failed
    assert all(trial["context"] == 100 and "has 60 rows" in trial["wrong"] for trial in failed)
    assert tuned.best["context"] == 10
    assert capfd.readouterr() == ("", "")
    with pytest.raises(ConfigError, match=r"no trial was completed \(series 'a' has 60 rows"):
        quick().tune(table, 1, space={"context": [100]})


@pytest.mark.parametrize(
    "space",
    [{"output": ["quantiles", "normal"]}, {"scaling": ["running", "log"]}, {"decoder": ["direct", "recursive"]}],
)
def test_losses_are_comparable_whatever_is_learned(space, quick, make_table) -> None:
    # expected: by numpy, the pinball loss of the hindcast of the last 12 of 80 rows, in mean absolute steps of the rest
    table = make_table("a", n=80, noise=0.5)
    tuned = quick(scaling="running").tune(table, 2, space=space)
    (name, values), trial = next(iter(space.items())), min(tuned.trials, key=lambda one: one["loss"])
    assert trial[name] in values
    found = tuned.model.hindcast(table, since=67)
    error = found.actual[..., None] - found.quantiles
    levels = np.array(found.levels)
    loss = np.nanmean(np.maximum(levels * error, (levels - 1) * error).mean(axis=2))
    assert trial["loss"] == pytest.approx(loss / np.abs(np.diff(table["y"][:68])).mean(), rel=1e-6)


def test_an_interrupted_trial_ends_the_search(quick, table, tmp_path, monkeypatch) -> None:
    # expected: Ctrl-C in the second trial: the first is kept in the storage, no third begins
    begun = []

    def fit(*given):
        begun.append(given)
        fitted = fit_forecaster(*given)
        fitted.history.ending = "interrupted" if len(begun) == 2 else fitted.history.ending
        return fitted

    monkeypatch.setattr("recurra.learners.tuning.fit_forecaster", fit)
    place = str(tmp_path / "study.db")
    with pytest.raises(KeyboardInterrupt):
        quick().tune(table, 5, space=SPACE, storage=place)
    assert len(begun) == 2
    tuned = quick().tune(table, 2, space=SPACE, storage=place)
    assert [trial["state"] for trial in tuned.trials].count("complete") == 2


class EndedError(Exception):
    """Stands for Optuna's TrialPruned."""


class Trial:
    """A trial that is to be pruned at its third epoch."""

    def __init__(self) -> None:
        self.reported: list[tuple[int, float]] = []

    def report(self, value: float, step: int) -> None:
        self.reported.append((step, value))

    def should_prune(self) -> bool:
        return len(self.reported) == 3


def test_a_trial_that_lags_behind_ends_at_once(quick, table) -> None:
    # expected: the validation losses of the same fit that is not pruned
    model = quick(max_epochs=5)
    whole = model.fit(table).history_.epochs
    trial = Trial()
    with pytest.raises(EndedError):
        fit_forecaster(SeriesTable.from_table(table), model._config, _Pruning(trial, EndedError))
    assert trial.reported == [(epoch.epoch, epoch.validation_loss) for epoch in whole[:3]]


def test_rows_after_the_table_play_no_part(quick, make_table) -> None:
    # expected: the validation part is the end of the table that was handed in; other later rows cannot matter
    table = make_table(n=70)
    past = table[table.groupby("unique_id").cumcount() < 60]
    tuned = quick().tune(past, 1, space=SPACE)
    assert "2024-02-29" in tuned.model._summary


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"trials": 0}, "trials=0"),
        ({"space": {"neurons": [1]}}, "neurons"),
        ({"space": {"dropout": (0, 0.1, "x")}}, "log"),
        ({"space": {"horizon": [1, 7]}}, "horizon"),
        ({"space": {"validation": [0.1, 0.2]}}, "validation"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, words, quick, table) -> None:
    with pytest.raises(ConfigError, match=words):
        quick().tune(table, **{"trials": 1, "space": SPACE, **wrong})


def test_the_default_space_holds_settings_of_the_forecaster() -> None:
    from recurra.learners.schema import ForecasterConfig
    from recurra.learners.tuning import default_space

    space = default_space(ForecasterConfig(), 7, 1000)
    assert set(space) <= set(ForecasterConfig.model_fields)
    assert space["context"] == [16, 32, 64]
    assert recurra.Forecaster(context=64).get_params()["context"] in space["context"]


def test_trials_differ_where_the_rule_stays_in_the_end(make_table) -> None:
    """Noise: the last fit keeps the rule, but the search saw what each setting learned."""
    table = make_table("a", n=120, noise=30.0)
    model = recurra.Forecaster(horizon=3, season=7, residual="none", max_epochs=6, learning_rate=2e-2)
    tuned = model.tune(table, 4, space={"hidden_size": [2, 4, 8, 16]})
    losses = {trial["hidden_size"]: trial["loss"] for trial in tuned.trials if trial["state"] == "complete"}
    assert len(losses) > 1
    assert len(set(losses.values())) == len(losses)
    assert tuned.model.history_.best_epoch == 0
