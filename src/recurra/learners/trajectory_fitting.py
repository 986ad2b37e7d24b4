"""From a table of tracks and settings to a trained trajectory network; the steps in their order."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recurra.baselines import Histories, track_rules
from recurra.data.tracks import (
    Augmentation,
    InputSpec,
    TrackInputs,
    TrackTable,
    TrackWindows,
    learning_windows,
)
from recurra.errors import ConfigError, NonFiniteLossError, TableError, TooShortError
from recurra.learners.fitting import on_device, seeded, training_options
from recurra.learners.trajectory_schema import TrajectoryConfig
from recurra.metrics import ade, distances
from recurra.models.trajectory import TrajectoryNetwork, TrajectoryShape
from recurra.prediction.trajectory import TrajectoryPredictor
from recurra.training import History, Trainer, build_progress
from recurra.training.trajectory import LearningTracks, TrackPlan, TrajectoryTask, usual_step
from recurra.training.trajectory_start import choose_gain, fit_linear, fit_spread

Ints = npt.NDArray[np.int64]
MOST_SCORED = 4_000
GAP_STEPS = 2.5


@dataclass(frozen=True)
class Parts:
    """The tracks to learn from and those to validate on, with their windows.

    Attributes:
        training, validation: tables.
        windows, held: windows of each; those of `held` end in the validation part.
    """

    training: TrackTable
    validation: TrackTable
    windows: TrackWindows
    held: TrackWindows


@dataclass(frozen=True)
class FittedTracks:
    """Everything that fit learned and chose.

    Attributes:
        predictor: the trained network and how fixes become its inputs.
        history: the training run.
        reasons: why the residual path and the gain were chosen, in words.
        validation: mean displacement error on the validation part, of the network and of the naive rules.
        error: the error that ended training early, if one did.
    """

    predictor: TrajectoryPredictor
    history: History
    reasons: dict[str, str]
    validation: dict[str, float]
    error: NonFiniteLossError | None = None


def fit_tracks(table: TrackTable, held: TrackTable | None, config: TrajectoryConfig) -> FittedTracks:
    """Choose what is left to choose, prepare the training tracks, train, and keep the best weights.

    Where the residual path is to be chosen, a network is trained on each, and the one with the lower loss on the
    validation part is kept.
    """
    step_s = config.step_s or table.usual_step_s
    gap = config.max_gap_s or GAP_STEPS * step_s
    parts = split_tracks(table, held, config, gap)
    spec = choose_inputs(parts.training, config, step_s, gap)
    training = LearningTracks(TrackInputs(parts.training, spec), config.horizon)
    validation = LearningTracks(TrackInputs(parts.validation, spec), config.horizon)
    choices: list[str] = [config.residual]
    if config.residual == "auto":
        choices = ["constant velocity", *(["linear"] if config.geographic else [])]
    share = None if config.max_seconds is None else config.max_seconds / len(choices)
    limited = config.model_copy(update={"max_seconds": share})
    trials = []
    for choice in choices:
        trials.append(_train(parts, training, validation, limited, choice == "linear"))
        if trials[-1].error is not None or trials[-1].history.ending == "interrupted":
            break
    best = min(trials, key=lambda trial: trial.history.best_loss)
    if trials[-1].history.ending == "interrupted":
        best.history.ending = "interrupted"
    losses = ", ".join(f"{c} {t.history.best_loss:.4f}" for c, t in zip(choices, trials, strict=False))
    chosen = choices[trials.index(best)]
    why = f"{chosen}: lowest validation loss ({losses})" if len(trials) > 1 else f"{chosen}: " + _only(config)
    error = next((trial.error for trial in trials if trial.error is not None), None)
    scores = validation_scores(best.predictor, parts, config)
    return replace(best, reasons={"residual": why, **best.reasons}, error=error, validation=scores)


def _only(config: TrajectoryConfig) -> str:
    return "the default on a flat map" if config.residual == "auto" else "asked for"


def split_tracks(table: TrackTable, held: TrackTable | None, config: TrajectoryConfig, max_gap_s: float) -> Parts:
    """The training and the validation part.

    By objects: those that came last in their scene are validated on, and none of them is learned from. By time: what
    came after a moment of each scene is validated on, from windows that may begin before it; nothing after that
    moment is learned from, not even as a target. A table to validate on may be handed in instead.

    Raises:
        TableError: if an object is in both tables although the split is by objects.
        TooShortError: if no track is long enough.
    """
    if held is not None:
        if config.split == "objects":
            refuse_shared(table, held)
        training, validation, cut = table, held, None
    elif config.split == "objects":
        late = _late_objects(table, config.validation)
        training, validation, cut = table.where(~late[table.owner]), table.where(late[table.owner]), None
    else:
        cut = _cut_times(table, config.validation)
        training, validation = table.where(table.time < cut[table.scene]), table
    windows = _windows(training, config.context, max_gap_s, "training")
    held_windows = _windows(validation, config.context, max_gap_s, "validation")
    if cut is not None:
        last = held_windows.last_rows
        inside = validation.time[last] >= cut[validation.scene[last]]
        held_windows = TrackWindows(
            held_windows.rows[inside], held_windows.lengths[inside], held_windows.moment[inside]
        )
        if not len(held_windows):
            raise TooShortError(
                "no track goes on after the moment where validation begins; use a larger validation share"
            )
    return Parts(training, validation, windows, held_windows)


def refuse_shared(table: TrackTable, held: TrackTable) -> None:
    """Refuse an object that is to be learned from and tested on.

    Raises:
        TableError: naming the first.
    """
    shared = [name for name in held.ids if name in set(table.ids)]
    if shared:
        raise TableError(
            f"object {shared[0]!r} is in the training table and in the other one too ({len(shared)} of {held.n_tracks} "
            "are); leave it out of one of them, or use split='time' if the two follow each other in time"
        )


def _windows(table: TrackTable, context: int, max_gap_s: float, part: str) -> TrackWindows:
    piece = table.pieces(max_gap_s)
    more = np.append(piece[1:] == piece[:-1], False)
    try:
        return learning_windows(table, context, max_gap_s, more)
    except TooShortError as error:
        raise TooShortError(f"{error} (this is the {part} part)") from None


def _late_objects(table: TrackTable, share: float) -> npt.NDArray[np.bool_]:
    """The last share of the objects of each scene, by when they were first seen; at least one."""
    if table.n_tracks < 2:
        raise TooShortError("one object cannot be split by objects; use split='time'")
    first = table.offsets[:-1]
    late = np.zeros(table.n_tracks, np.bool_)
    for scene in np.unique(table.scene):
        members = np.flatnonzero(table.scene[first] == scene)
        count = max(round(share * len(members)), 1) if len(members) > 1 else 0
        order = members[np.argsort(table.time[first[members]], kind="stable")]
        late[order[len(order) - count :]] = True
    return late


def _cut_times(table: TrackTable, share: float) -> npt.NDArray[np.float64]:
    """The moment of each scene after which the last share of its fixes came."""
    scenes = int(table.scene.max()) + 1
    return np.array([np.quantile(table.time[table.scene == scene], 1.0 - share) for scene in range(scenes)])


def choose_inputs(training: TrackTable, config: TrajectoryConfig, step_s: float, max_gap_s: float) -> InputSpec:
    """What the network is shown, with middles and spreads of the training tracks."""
    place = config.geographic if config.place is None else config.place
    season = (config.geographic and training.stamped) if config.season is None else config.season
    if season and not training.stamped:
        raise ConfigError("season needs times that are dates; leave it out, or give dates")
    features = []
    for column, name in enumerate(config.features):
        known = training.features[:, column][~np.isnan(training.features[:, column])]
        middle, spread = (float(known.mean()), float(known.std())) if len(known) else (0.0, 1.0)
        features.append((name, middle, spread or 1.0))
    middles, spreads = training.position.mean(0), training.position.std(0)
    return InputSpec(
        step_s=step_s,
        max_gap_s=max_gap_s,
        scale=usual_step(training, step_s, training.pieces(max_gap_s)),
        aligned=not config.geographic if config.align is None else config.align,
        features=tuple(features),
        place=tuple((float(m), float(s) or 1.0) for m, s in zip(middles, spreads, strict=True)) if place else (),
        season=season,
        neighbours=config.neighbours,
        reach=config.reach,
    )


def _train(
    parts: Parts, training: LearningTracks, validation: LearningTracks, config: TrajectoryConfig, linear: bool
) -> FittedTracks:
    spec = training.inputs.spec
    network = build_network(spec, config, linear)
    task = TrajectoryTask(network, training, validation, parts.windows, parts.held, track_plan(spec, config))
    if linear:
        fit_linear(task)
    fit_spread(task)
    trainer = Trainer(network, task, training_options(config), build_progress(config.progress))
    error = None
    with seeded(config):
        try:
            trainer.run()
        except NonFiniteLossError as problem:
            error = problem
    gain = choose_gain(task) if config.gain is None else config.gain
    network.gain.fill_(gain)
    why = "serves best on the validation part" if config.gain is None else "was asked for"
    reasons = {"gain": f"{gain:g} of the correction {why}"}
    predictor = TrajectoryPredictor(spec, network, parts.training.unit)
    return FittedTracks(predictor, trainer.history, reasons, {}, error)


def build_network(spec: InputSpec, config: TrajectoryConfig, linear: bool) -> TrajectoryNetwork:
    """The network with its starting weights, drawn from the seed without touching the global generator."""
    components = {"points": 0, "gaussian": 1, "mixture": config.components}[config.output]
    shape = TrajectoryShape(
        n_inputs=spec.width,
        horizon=config.horizon,
        components=components,
        cell=config.cell,
        hidden_size=config.hidden_size,
        num_layers=config.num_layers,
        dropout=config.dropout,
        lags=config.lags if linear else 0,
    )
    with seeded(config):
        network = TrajectoryNetwork(shape, config.backend)
    return on_device(network, config.device)


def track_plan(spec: InputSpec, config: TrajectoryConfig) -> TrackPlan:
    """How windows are drawn."""
    flat = not config.geographic
    augmentation = Augmentation(
        rotate=(flat and not spec.aligned) if config.rotate is None else config.rotate,
        mirror=flat if config.mirror is None else config.mirror,
        time_scale=config.time_scale if flat else 1.0,
        jitter=config.jitter,
    )
    return TrackPlan(batch_size=config.batch_size, augmentation=augmentation, seed=config.seed)


def validation_scores(predictor: TrajectoryPredictor, parts: Parts, config: TrajectoryConfig) -> dict[str, float]:
    """Mean displacement error at the last fixes of the validation windows, of the network and of the naive rules."""
    spec, table = predictor.spec, parts.validation
    stride = -(-len(parts.held) // MOST_SCORED)
    held = TrackWindows(parts.held.rows[::stride], parts.held.lengths[::stride], parts.held.moment[::stride])
    learned = parts.windows
    training = LearningTracks(TrackInputs(parts.training, replace(spec, neighbours=0)), config.horizon)
    validation = LearningTracks(TrackInputs(table, replace(spec, neighbours=0)), config.horizon)
    ahead = validation.offsets[held.last_rows]
    scores = {"network": ade(distances(ahead, predictor.windows(table, held).path))}
    off = predictor.without_correction().windows(table, held)
    scores["correction switched off"] = ade(distances(ahead, off.path))
    histories = Histories.of(table, held, spec.step_s)
    for rule in track_rules(config.context, bool(spec.place)):
        rule.fit(Histories.of(parts.training, learned, spec.step_s), training.offsets[learned.last_rows])
        scores[rule.name] = ade(distances(ahead, rule.paths(histories, config.horizon)))
    return {name: float(score) for name, score in scores.items() if np.isfinite(score)}
