"""Choosing a forecaster's settings on held-out past rows, with Optuna: pruned, and resumable by its storage."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from recurra.data.frames import to_native
from recurra.data.readers import TableKind
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError, InputError, MissingExtraError, NonFiniteLossError
from recurra.learners.choices import choose_context, validation_cuts
from recurra.learners.fitting import fit_forecaster
from recurra.learners.parameters import validate
from recurra.learners.scaling_choice import held_out_loss
from recurra.learners.schema import ForecasterConfig
from recurra.learners.targets import check_target
from recurra.prediction import ForecastPredictor
from recurra.training.history import EpochRecord
from recurra.training.progress import NoProgress

if TYPE_CHECKING:
    from recurra.learners.forecaster import Forecaster

Choice = Sequence[Any] | tuple[float, float] | tuple[float, float, str]
STARTUP_TRIALS, WARMUP_EPOCHS = 5, 3
GIVEN = frozenset(
    {
        "horizon", "y", "unique_id", "ds", "freq", "date_format", "quantiles", "validation", "missing", "gaps",
        "unsorted", "missing_covariates", "unseen", "n_ensemble", "seed", "backend", "device", "progress",
        "max_seconds",
    }
)  # fmt: skip
"""Settings that say what is forecast, from what, and how it is run."""
UNLIKE = frozenset({"output", "scaling", "decoder", "conformal"})
"""Settings that change what an epoch's loss is a loss of: where they are tried, no trial is pruned."""
BESIDE = frozenset({"progress", "backend", "device", "n_ensemble"})
"""Settings that change nothing about a trial."""
WRONG, MARKS = "wrong", "search"


@dataclass(frozen=True)
class Tuned:
    """What tuning came to.

    Attributes:
        model: fitted with the best settings.
        trials: one dict a trial: number, state ("complete", "pruned" or "fail"), loss, seconds, what was wrong if it
            failed, and the settings tried.
        best: the settings of the lowest loss.
    """

    model: "Forecaster"
    trials: list[dict[str, Any]]
    best: dict[str, Any]

    def to_table(self, kind: TableKind = "pandas") -> Any:
        """The trials as a table."""
        names = list(dict.fromkeys(name for trial in self.trials for name in trial))
        columns = {name: [trial.get(name) for trial in self.trials] for name in names}
        return to_native({name: np.array(values, object) for name, values in columns.items()}, kind)


def default_space(config: ForecasterConfig, season: int, longest: int) -> dict[str, Choice]:
    """What is tried: the layer and its size, dropout, step size, decay, batch, and the windows that the rows allow.

    Args:
        config: the settings to start from; what is not in the space stays.
        season: steps of a season.
        longest: rows of the longest series.
    """
    context = choose_context(config, season)
    contexts = sorted({max(8, context // 2), context, 2 * context})
    contexts = [steps for steps in contexts if steps + config.horizon <= longest]
    return {
        "cell": ["gru", "lstm"],
        "hidden_size": [16, 32, 64, 128],
        "num_layers": [1, 2],
        "dropout": (0.0, 0.4),
        "learning_rate": (5e-4, 1e-2, "log"),
        "weight_decay": (1e-4, 1e-1, "log"),
        "batch_size": [16, 32, 64],
        **({"context": contexts} if contexts else {}),
    }


def tune_forecaster(
    model: "Forecaster", table: SeriesTable, space: Mapping[str, Choice] | None, trials: int, how: Mapping[str, Any]
) -> Tuned:
    """Try settings, each trained on the rows before the validation part and held against it; fit the best.

    A finished trial's loss is the quantile loss of its forecasts of the validation part, of all steps ahead, in units
    of the target, each series divided by its mean absolute step: the same number whatever is learned, by which loss.
    Trials keep what they learned, so that they differ; whether the best one's network shows is left to the last fit.

    Args:
        model: its settings are where the search starts.
        table: past rows only: what the tuned model is to be judged by must not be in it.
        space: setting -> values to choose from, or (low, high), or (low, high, "log"); None for `default_space`.
        trials: how many there shall be in the end, those of an earlier run counted.
        how: storage, name, seed and max_seconds of the study.

    Raises:
        ConfigError: if a setting is unknown, not to be chosen by a loss, or out of range; if the storage holds the
            trials of another search; if no trial was completed.
        KeyboardInterrupt: if a trial is interrupted; the storage keeps those before.
        MissingExtraError: if Optuna is not installed.
    """
    optuna = _optuna()
    if trials < 1:
        raise ConfigError(f"trials={trials} must be at least 1")
    base = model.get_params()
    config = validate(ForecasterConfig, base)
    season = config.season or table.frequency.season
    wanted = dict(default_space(config, season, int(table.lengths.max())) if space is None else space)
    _check_space(wanted)
    pruned = optuna.TrialPruned

    def objective(trial: Any) -> float:
        return _loss_of(trial, table, base, wanted, pruned)

    with _quiet(optuna):
        study = optuna.create_study(
            storage=_storage(how["storage"]),
            study_name=how["name"],
            sampler=optuna.samplers.TPESampler(seed=how["seed"]),
            pruner=optuna.pruners.MedianPruner(STARTUP_TRIALS, WARMUP_EPOCHS),
            direction="minimize",
            load_if_exists=True,
        )
        _check_same_search(study, _marks(table, base, wanted))
        done = sum(_counts(trial) for trial in study.trials)
        if done < trials:
            study.optimize(objective, n_trials=trials - done, timeout=how["max_seconds"], catch=(InputError,))
        told = [_told(trial) for trial in study.trials]
        if not any(trial["state"] == "complete" for trial in told):
            wrong = next((f" ({trial[WRONG]})" for trial in told if WRONG in trial), "")
            raise ConfigError(f"no trial was completed{wrong}; give more trials or more time")
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


def _loss_of(
    trial: Any, table: SeriesTable, base: Mapping[str, Any], wanted: Mapping[str, Choice], pruned: type[Exception]
) -> float:
    """The loss of a trial on the validation part; margins that were learned from that part are left out.

    Raises:
        InputError: its settings cannot be fitted on this table.
        KeyboardInterrupt: it was interrupted.
        Exception: `pruned`, if it lags behind or its loss is not finite.
    """
    chosen = {name: _suggest(trial, name, values) for name, values in wanted.items()}
    progress = NoProgress() if UNLIKE & set(wanted) else _Pruning(trial, pruned)
    try:
        tried = validate(ForecasterConfig, {**base, "keep": "trained", **chosen, "n_ensemble": 1, "progress": "none"})
        check_target(table, tried)
        fitted = fit_forecaster(table, tried, progress)
    except NonFiniteLossError:
        raise pruned from None
    except InputError as error:
        trial.set_user_attr(WRONG, str(error))
        raise
    if fitted.history.ending == "interrupted":
        raise KeyboardInterrupt
    if fitted.error is not None:
        raise pruned
    single = cast("ForecastPredictor", fitted.predictor)
    return held_out_loss(single.with_margins(None), table, validation_cuts(table, tried))


def _check_space(wanted: Mapping[str, Choice]) -> None:
    unknown = [name for name in wanted if name not in ForecasterConfig.model_fields]
    if unknown or not wanted:
        raise ConfigError(f"space: {(unknown or ['nothing'])[0]!r} is no setting of a Forecaster")
    given = [name for name in wanted if name in GIVEN]
    if given:
        raise ConfigError(
            f"space: {given[0]!r} says what is asked for or how it is run, which no loss can choose; set it on the "
            "Forecaster"
        )
    for name, values in wanted.items():
        if isinstance(values, tuple) and (len(values) < 2 or values[2:] not in ((), ("log",))):
            raise ConfigError(f"space: {name} is (low, high) or (low, high, 'log'), not {values!r}")


def _marks(table: SeriesTable, base: Mapping[str, Any], wanted: Mapping[str, Choice]) -> dict[str, str]:
    """SHA-256 of what trials of one search share: the table, the settings that are not tried, and the space."""
    rows = hashlib.sha256(json.dumps([table.ids, table.frequency.code, sorted(table.covariates)]).encode())
    for column in (
        table.offsets,
        table.ds.astype(np.int64),
        table.y,
        *(table.covariates[n] for n in sorted(table.covariates)),
    ):
        rows.update(json.dumps(column.tolist()).encode())
    kept = {name: value for name, value in base.items() if name not in {*wanted, *BESIDE}}
    texts = {"settings": kept, "space": dict(wanted)}
    hashed = {n: hashlib.sha256(json.dumps(text, sort_keys=True, default=list).encode()) for n, text in texts.items()}
    return {name: digest.hexdigest() for name, digest in {"table": rows, **hashed}.items()}


def _check_same_search(study: Any, marks: Mapping[str, str]) -> None:
    known = study.user_attrs.get(MARKS)
    if known is None and not study.trials:
        study.set_user_attr(MARKS, dict(marks))
        return
    other = [name for name, digest in marks.items() if (known or {}).get(name) != digest]
    if other:
        raise ConfigError(
            f"the storage holds trials of another {other[0]} under the name {study.study_name!r}; give another name or "
            "storage, or go on with the same"
        )


def _suggest(trial: Any, name: str, values: Choice) -> Any:
    if isinstance(values, tuple):
        low, high, *rest = values
        whole = all(isinstance(end, int) for end in (low, high))
        return (trial.suggest_int if whole else trial.suggest_float)(name, low, high, log=bool(rest))
    return trial.suggest_categorical(name, list(values))


def _counts(trial: Any) -> bool:
    """Whether a trial came to its end; one that was interrupted did not."""
    return trial.state.name in ("COMPLETE", "PRUNED") or WRONG in trial.user_attrs


def _told(trial: Any) -> dict[str, Any]:
    seconds = trial.duration.total_seconds() if trial.duration is not None else None
    state = trial.state.name.lower()
    wrong = {WRONG: trial.user_attrs[WRONG]} if WRONG in trial.user_attrs else {}
    return {"number": trial.number, "state": state, "loss": trial.value, "seconds": seconds, **wrong, **trial.params}


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
    optuna.logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
