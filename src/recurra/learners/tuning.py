"""Choosing a forecaster's settings on held-out past rows, with Optuna: pruned, and resumable by its storage."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.data.frames import to_native
from recurra.data.readers import TableKind
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError, MissingExtraError, NonFiniteLossError
from recurra.learners.choices import choose_context
from recurra.learners.fitting import fit_forecaster
from recurra.learners.parameters import validate
from recurra.learners.schema import ForecasterConfig
from recurra.training.history import EpochRecord
from recurra.training.progress import NoProgress

if TYPE_CHECKING:
    from recurra.learners.forecaster import Forecaster

Choice = Sequence[Any] | tuple[float, float] | tuple[float, float, str]
STARTUP_TRIALS, WARMUP_EPOCHS = 5, 3


@dataclass(frozen=True)
class Tuned:
    """What tuning came to.

    Attributes:
        model: fitted with the best settings.
        trials: one dict a trial: number, state ("complete", "pruned" or "fail"), loss, seconds, and the settings tried.
        best: the settings of the lowest validation loss.
    """

    model: "Forecaster"
    trials: list[dict[str, Any]]
    best: dict[str, Any]

    def to_table(self, kind: TableKind = "pandas") -> Any:
        """The trials as a table."""
        names = list(dict.fromkeys(name for trial in self.trials for name in trial))
        columns = {name: [trial.get(name) for trial in self.trials] for name in names}
        return to_native({name: np.array(values, object) for name, values in columns.items()}, kind)


def default_space(config: ForecasterConfig, season: int) -> dict[str, Choice]:
    """What is tried: the layer and its size, dropout, step size, decay, batch and window.

    Args:
        config: the settings to start from; what is not in the space stays.
        season: steps of a season.
    """
    context = choose_context(config, season)
    return {
        "cell": ["gru", "lstm"],
        "hidden_size": [16, 32, 64, 128],
        "num_layers": [1, 2],
        "dropout": (0.0, 0.4),
        "learning_rate": (5e-4, 1e-2, "log"),
        "weight_decay": (1e-4, 1e-1, "log"),
        "batch_size": [16, 32, 64],
        "context": sorted({max(8, context // 2), context, 2 * context}),
    }


def tune_forecaster(
    model: "Forecaster", table: SeriesTable, space: Mapping[str, Choice] | None, trials: int, how: Mapping[str, Any]
) -> Tuned:
    """Try settings, each trained on the rows before the validation part and held against it; fit the best.

    Args:
        model: its settings are where the search starts.
        table: past rows only: what the tuned model is to be judged by must not be in it.
        space: setting -> values to choose from, or (low, high), or (low, high, "log"); None for `default_space`.
        trials: how many there shall be in the end, those of an earlier run counted.
        how: storage, name, seed and max_seconds of the study.

    Raises:
        ConfigError: if a setting is unknown or a trial's number out of range.
        MissingExtraError: if Optuna is not installed.
    """
    optuna = _optuna()
    if trials < 1:
        raise ConfigError(f"trials={trials} must be at least 1")
    base = model.get_params()
    config = validate(ForecasterConfig, base)
    wanted = dict(default_space(config, config.season or table.frequency.season) if space is None else space)
    unknown = [name for name in wanted if name not in ForecasterConfig.model_fields]
    if unknown or not wanted:
        raise ConfigError(f"space: {(unknown or ['nothing'])[0]!r} is no setting of a Forecaster")

    def objective(trial: Any) -> float:
        chosen = {name: _suggest(trial, name, values) for name, values in wanted.items()}
        tried = validate(ForecasterConfig, {**base, **chosen, "n_ensemble": 1, "progress": "none"})
        try:
            fitted = fit_forecaster(table, tried, _Pruning(trial, optuna.TrialPruned))
        except NonFiniteLossError:
            raise optuna.TrialPruned from None
        if fitted.error is not None:
            raise optuna.TrialPruned
        return fitted.history.best_loss

    with _quiet(optuna):
        study = optuna.create_study(
            storage=_storage(how["storage"]),
            study_name=how["name"],
            sampler=optuna.samplers.TPESampler(seed=how["seed"]),
            pruner=optuna.pruners.MedianPruner(STARTUP_TRIALS, WARMUP_EPOCHS),
            direction="minimize",
            load_if_exists=True,
        )
        done = sum(trial.state.is_finished() for trial in study.trials)
        if done < trials:
            study.optimize(objective, n_trials=trials - done, timeout=how["max_seconds"])
        told = [_told(trial) for trial in study.trials]
        if not any(trial["state"] == "complete" for trial in told):
            raise ConfigError("no trial was completed; give more trials or more time")
        best = dict(study.best_params)
    return Tuned(type(model)(**{**base, **best}).fit(table), told, best)


class _Pruning(NoProgress):
    """Tells a trial of every epoch, and ends it where others were better by then."""

    def __init__(self, trial: Any, pruned: type[Exception]) -> None:
        self._trial, self._pruned, self._epochs = trial, pruned, 0

    def epoch(self, record: EpochRecord, best: bool, seconds_left: float) -> None:
        """Report the validation loss."""
        del best, seconds_left
        self._epochs += 1
        self._trial.report(record.validation_loss, self._epochs)
        if self._trial.should_prune():
            raise self._pruned


def _suggest(trial: Any, name: str, values: Choice) -> Any:
    if isinstance(values, tuple):
        low, high, *rest = values
        if rest not in ([], ["log"]):
            raise ConfigError(f"space: {name} is (low, high) or (low, high, 'log'), not {values!r}")
        whole = all(isinstance(end, int) for end in (low, high))
        return (trial.suggest_int if whole else trial.suggest_float)(name, low, high, log=bool(rest))
    return trial.suggest_categorical(name, list(values))


def _told(trial: Any) -> dict[str, Any]:
    seconds = trial.duration.total_seconds() if trial.duration is not None else None
    state = trial.state.name.lower()
    return {"number": trial.number, "state": state, "loss": trial.value, "seconds": seconds, **trial.params}


def _storage(storage: str | None) -> str | None:
    """A database's address; a path becomes an SQLite file."""
    return storage if storage is None or "://" in storage else f"sqlite:///{storage}"


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("tuning needs Optuna; install it with: pip install recurra[tune]") from error
    return optuna


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Optuna's own lines are left out, and its level is as before afterwards."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
