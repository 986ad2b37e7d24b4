"""From a table and settings to a trained forecasting network; the steps in their order."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import torch

from recurra.data.calendar import default_calendar
from recurra.data.preparation import Preparation, PreparationSpec, PreparedRows, Reference
from recurra.data.preparation.reference import Array
from recurra.data.preparation.rows import Rows
from recurra.data.series import SeriesTable
from recurra.data.windows import WindowIndex
from recurra.errors import BadValueError, ConfigError, NonFiniteLossError
from recurra.learners.choices import (
    Candidate,
    candidate_references,
    choose_context,
    choose_lookback,
    choose_segment,
    network_horizon,
    scale_memory,
    stopping_ends,
    validation_cuts,
)
from recurra.learners.held_out import learn_from_held_out
from recurra.learners.scaling_choice import choose_scaling
from recurra.learners.schema import ForecasterConfig
from recurra.learners.table_checks import fallbacks
from recurra.metrics import mae
from recurra.models.forecast import AnyForecastNetwork, ForecastShape, build_forecast_network
from recurra.prediction import AnyPredictor, ForecastPredictor, Hindcast
from recurra.training import History, Progress, Trainer, TrainingOptions, build_progress
from recurra.training.forecast import ForecastTask, WindowBatch, WindowPlan
from recurra.training.forecast_start import begin_with_errors, keep_what_shows, mean_gain

Network = TypeVar("Network", bound=torch.nn.Module)

ORIGINS_BUDGET = 4_000_000
VALIDATED = 4_000
BATCHES_OF_AN_EPOCH = 50


@dataclass(frozen=True)
class Fitted:
    """Everything that fit learned and chose.

    Args:
        predictor: the trained network and its preparation.
        history: the training run.
        context: steps of a training window.
        reasons: why the residual path was chosen, in words.
        validation: mean absolute error on the validation part, of the network and of the naive rules.
        error: the error that ended training early, if one did.
        stretches: losses on stretches of the validation part, if they were looked at.
    """

    predictor: AnyPredictor
    history: History
    context: int
    reasons: dict[str, str]
    validation: dict[str, float]
    error: NonFiniteLossError | None = None
    stretches: Array | None = None


def fit_forecaster(table: SeriesTable, config: ForecasterConfig, progress: Progress | None = None) -> Fitted:
    """Choose what is left to choose, prepare the training rows, train, and keep the best weights.

    Where several rules are worth correcting, a network is trained on each. The first one's is kept unless another is
    better on the validation part by more than a standard error.

    Args:
        table: the rows to learn from and to validate on.
        config: the settings.
        progress: told of every epoch, instead of what the settings say.
    """
    cuts = validation_cuts(table, config)
    training = table.truncate(cuts)
    spec, why = _scaled_spec(training, config)
    candidates = candidate_references(training, spec, config)
    share = None if config.max_seconds is None else config.max_seconds / len(candidates)
    trials = []
    for candidate in candidates:
        trials.append(_train(table, cuts, replace(spec, reference=candidate.kind), candidate, config, share, progress))
        if trials[-1].error is not None or trials[-1].history.ending == "interrupted":
            break
    best = trials[0]
    for trial in trials[1:]:
        best = _better(best, trial)
    scores = ", ".join(f"{t.predictor.preparation.spec.reference} {t.history.best_loss:.4f}" for t in trials)
    reasons = dict(best.reasons)
    if len(trials) > 1:
        reasons["residual"] = (
            f"by validation loss, later ones if they gain more than a standard error ({scores}); "
            f"{best.reasons['residual']}"
        )
    if trials[-1].history.ending == "interrupted":
        best.history.ending = "interrupted"
    error = next((trial.error for trial in trials if trial.error is not None), None)
    held_out = best.predictor.hindcast(table, cuts - 1, best.predictor.affordable)
    validation = validation_scores(best.predictor, table, held_out)
    single = cast("ForecastPredictor", best.predictor)
    predictor, told = learn_from_held_out(single, table, held_out, stopping_ends(table, cuts, config), config)
    reasons = {**reasons, **why, **told, **fallbacks(table, cuts, config)}
    return replace(best, predictor=predictor, reasons=reasons, error=error, validation=validation)


def _better(before: Fitted, after: Fitted) -> Fitted:
    """The later of two trials if the validation part shows it to be better; see `mean_gain`."""
    if before.stretches is not None and after.stretches is not None:
        gains = before.stretches - after.stretches
        if np.isfinite(gains).all():
            gain, error = mean_gain(gains)
            return after if gain > error else before
    return min(before, after, key=lambda trial: trial.history.best_loss)


def _scaled_spec(training: SeriesTable, config: ForecasterConfig) -> tuple[PreparationSpec, dict[str, str]]:
    """What the inputs are made of, the kind of scale included, and why that one where it was left to choose."""
    spec = choose_spec(training, config)
    if config.scaling != "auto":
        return spec, {}

    def trial(table: SeriesTable, cuts: Rows, spec: PreparationSpec, brief: ForecasterConfig) -> AnyPredictor:
        spec = replace(spec, memory=scale_memory(spec.scaling, spec.season, brief))
        candidate = candidate_references(table.truncate(cuts), spec, brief)[0]
        spec = replace(spec, reference=candidate.kind)
        fitted = _train(table, cuts, spec, candidate, brief, brief.max_seconds)
        if fitted.history.ending == "interrupted":
            raise KeyboardInterrupt
        return fitted.predictor

    kind, reason = choose_scaling(training, spec, config, trial)
    return replace(spec, scaling=kind, memory=scale_memory(kind, spec.season, config)), {"scaling": reason}


def _train(
    table: SeriesTable,
    cuts: Rows,
    spec: PreparationSpec,
    candidate: Candidate,
    config: ForecasterConfig,
    max_seconds: float | None,
    progress: Progress | None = None,
) -> Fitted:
    training = table.truncate(cuts)
    masked = config.missing_covariates == "mask"
    preparation = Preparation.fit(training, spec, candidate.linear, masked, config.unseen)
    prepared = _prepare_all(preparation, table)
    network = build_network(preparation, config)
    context = choose_context(config, spec.season)
    plan = window_plan(spec, config, context)
    windows = WindowIndex(training, plan.context, 1, spec.horizon)
    begins = prepared.offsets[:-1]
    stops = begins + stopping_ends(table, cuts, config)
    task = ForecastTask(network, prepared, begins + cuts, windows, plan, stops)
    start = begin_with_errors(task)
    shown = config.keep == "shown" and task.validates
    options = replace(training_options(config), max_seconds=max_seconds, offer_start=shown)
    trainer = Trainer(network, task, options, progress or build_progress(config.progress))
    error = None
    with seeded(config):
        try:
            trainer.run()
        except NonFiniteLossError as problem:
            error = problem
    reasons, stretches = {"residual": candidate.reason}, None
    if error is None and trainer.history.ending != "interrupted":
        try:
            reasons |= _what_shows(trainer, task, start, config.horizon) if shown else {}
            with torch.no_grad():
                stretches = task.validation_blocks(config.horizon)
        except KeyboardInterrupt:
            trainer.history.ending = "interrupted"
    predictor = ForecastPredictor(preparation, network, config.horizon)
    return Fitted(predictor, trainer.history, context, reasons, {}, error, stretches)


def _what_shows(
    trainer: Trainer[WindowBatch], task: ForecastTask, start: Mapping[str, torch.Tensor], horizon: int
) -> dict[str, str]:
    """Leave the weights in the network that the validation part speaks for; why, if they are those of the start."""
    history = trainer.history
    if history.best_epoch == 0:
        return {"kept": f"the rule itself: no epoch had a lower validation loss than its {trainer.start_loss:.4f}"}
    kept = keep_what_shows(task, start, horizon)
    if kept is None:
        return {}
    history.best_epoch, history.best_loss = 0, trainer.start_loss
    return {"kept": kept}


def _prepare_all(preparation: Preparation, table: SeriesTable) -> PreparedRows:
    """The training rows and those to validate on, which must hold no category that is new."""
    try:
        return preparation.rows(table)
    except BadValueError as error:
        raise BadValueError(
            f"{error} (the last rows of each series are kept for validation; validation= says how many)"
        ) from None


class RunSettings(Protocol):
    """The part of every learner's settings that says how training runs; see `TrainingOptions`."""

    seed: Any
    device: Any
    max_epochs: Any
    max_seconds: Any
    learning_rate: Any
    weight_decay: Any
    gradient_clip: Any
    patience: Any


@contextmanager
def seeded(config: RunSettings) -> Iterator[None]:
    """Draw from the seed, and leave torch's generators as they were."""
    on_cuda = config.device.startswith("cuda")
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if on_cuda else []):
        (torch.manual_seed if on_cuda else torch.default_generator.manual_seed)(config.seed)
        yield


def choose_spec(training: SeriesTable, config: ForecasterConfig) -> PreparationSpec:
    """What the inputs are made of, but for the rule that forecasts start from."""
    frequency = training.frequency
    season = config.season or frequency.season
    calendar = config.calendar
    if calendar == "auto":
        calendar = () if frequency.irregular else default_calendar(frequency)
    elif frequency.irregular and calendar:
        raise ConfigError(
            "calendar features need steps whose dates are known, which those of irregular rows are not; use "
            "calendar=(), and give the hour or the day as a past covariate"
        )
    elif frequency.is_index and calendar:
        raise ConfigError("calendar features need dates; the time stamps are whole numbers: use calendar=()")
    return PreparationSpec(
        horizon=network_horizon(config),
        season=season,
        reference="naive",
        scaling=config.scaling,
        frequency=frequency.code,
        memory=scale_memory(config.scaling, season, config),
        time_zone=training.time_zone,
        calendar=tuple(calendar),
        past=config.past_covariates,
        future=config.future_covariates,
        show_missing=config.missing == "mask",
        show_gap=config.missing == "mask",
        static=config.static_covariates,
        targets=config.targets if len(config.targets) > 1 else (),
        lookback=choose_lookback(config, season),
    )


def build_network(preparation: Preparation, config: ForecasterConfig) -> AnyForecastNetwork:
    """The network with its starting weights, drawn from the seed without touching the global generator."""
    shape = ForecastShape(
        n_inputs=preparation.n_inputs,
        n_future=preparation.n_known,
        horizon=preparation.spec.horizon,
        levels=config.quantiles,
        cell=config.cell,
        hidden_size=config.hidden_size,
        num_layers=config.num_layers,
        dropout=config.dropout,
        decoder="direct" if config.decoder == "recursive" else config.decoder,
        output=config.output,
        components=config.components if config.output == "mixture" else 0,
        options=config.cell_options or {},
        lookback=preparation.spec.lookback,
        segment=choose_segment(config, preparation.spec.season) if config.decoder == "segments" else 0,
    )
    with seeded(config):
        network = build_forecast_network(shape, config.backend)
    return on_device(network, config.device)


def on_device(network: Network, device: str) -> Network:
    """The network where it is to be trained.

    Raises:
        ConfigError: if the device is not there.
    """
    try:
        return network.to(device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        raise ConfigError(f"device={device!r} cannot be used here ({first}); use 'cpu'") from error


def window_plan(spec: PreparationSpec, config: ForecasterConfig, context: int) -> WindowPlan:
    """How windows are drawn: warmed over up to one context, and at most so many forecasts a batch."""
    forecasts = config.batch_size * spec.horizon * len(config.quantiles)
    if config.decoder == "recurrent":
        forecasts *= config.hidden_size
    if spec.lookback:
        young, size = min(spec.season, 8), config.batch_size
        return WindowPlan(1, size, BATCHES_OF_AN_EPOCH, youngest=young, seed=config.seed, validated=VALIDATED)
    return WindowPlan(
        context=context,
        batch_size=config.batch_size,
        batches=BATCHES_OF_AN_EPOCH,
        warmup=context,
        origins=max(4, ORIGINS_BUDGET // forecasts),
        youngest=min(spec.season, 8) if spec.follows else 1,
        seed=config.seed,
    )


def training_options(config: RunSettings) -> TrainingOptions:
    """The loop's part of the settings."""
    return TrainingOptions(
        max_epochs=config.max_epochs,
        max_seconds=config.max_seconds,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        gradient_clip=config.gradient_clip,
        patience=config.patience,
    )


def validation_scores(predictor: AnyPredictor, table: SeriesTable, hindcast: Hindcast) -> dict[str, float]:
    """Mean absolute error over the validation part of the network and of the naive rules, in the target's units.

    With several targets, one for each: "network, sales" and so on.
    """
    preparation, spec = predictor.preparation, predictor.preparation.spec
    prepared = preparation.rows(table)
    lookback = prepared.origins(hindcast.rows).lookback
    shift = prepared.shift[hindcast.rows]
    rules = {"naive": Reference("naive", 1)}
    if spec.season > 1:
        rules["seasonal naive"] = Reference("seasonal", spec.season)
    ahead = {name: preparation.in_units(rule.ahead(lookback, shift, predictor.horizon)) for name, rule in rules.items()}
    target = np.array([table.target_of(i) for i in range(table.n_series)])[table.series_of_rows[hindcast.rows]]
    begun = prepared.begun[hindcast.rows]
    scores = {}
    for one in spec.targets or (table.columns.y,):
        rows = (target == one) & begun
        for name, point in {"network": hindcast.median, **ahead}.items():
            if np.isfinite(hindcast.actual[rows]).any():
                scores[f"{name}, {one}" if spec.targets else name] = float(mae(hindcast.actual[rows], point[rows]))
    return {name: score for name, score in scores.items() if np.isfinite(score)}
