"""Tuning tries settings on held-out past rows, prunes, goes on from its storage, and is quiet."""

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
    assert tuned.model.history_.best_loss == lowest["loss"]
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
    ],
)
def test_what_makes_no_sense_is_refused(wrong, words, quick, table) -> None:
    with pytest.raises(ConfigError, match=words):
        quick().tune(table, **{"trials": 1, "space": SPACE, **wrong})


def test_the_default_space_holds_settings_of_the_forecaster() -> None:
    from recurra.learners.schema import ForecasterConfig
    from recurra.learners.tuning import default_space

    space = default_space(ForecasterConfig(), 7)
    assert set(space) <= set(ForecasterConfig.model_fields)
    assert space["context"] == [16, 32, 64]
    assert recurra.Forecaster(context=64).get_params()["context"] in space["context"]
