"""How well paths were predicted, beside the naive rules: errors, the best of k, likelihood, calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.baselines import Histories, TrackRule, track_rules
from recurra.data.tracks import PathForecasts, TrackTable, TrackWindows, positions_ahead
from recurra.errors import ConfigError, ShapeError
from recurra.evaluation.scores import ENOUGH_BLOCKS, Comparison
from recurra.evaluation.significance import clustered_bootstrap
from recurra.evaluation.tracks_report import NETWORK, OFF, BestOf, TrackReport, TrackScores
from recurra.metrics import (
    ade,
    distances,
    error_by_step,
    fde,
    min_ade_per_person,
    min_ade_per_scene,
    min_fde_per_person,
    min_fde_per_scene,
    miss_rate,
    mixture_log_density,
    nll,
    person_ade,
    region_coverage,
)
from recurra.prediction.trajectory import TrajectoryPredictor

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CLAIMED = (0.5, 0.8, 0.9, 0.95)
DRAWS = 200


@dataclass(frozen=True)
class Truth:
    """What came after the origins of some windows.

    Attributes:
        offsets: from the last fix of each window, in units of length, [n, horizon, 2]; NaN where not known.
        objects: number of the object of each window, [n]: windows of one object are no independent evidence.
        moment: number of the moment of each window, [n]; windows of one moment are one scene.
    """

    offsets: Array
    objects: Ints
    moment: Ints

    @classmethod
    def of(cls, table: TrackTable, windows: TrackWindows, step_s: float, horizon: int, max_gap_s: float) -> "Truth":
        """By the times of the table: positions at steps of `step_s` after the last fixes, also between two fixes."""
        last = windows.last_rows
        ahead = positions_ahead(table, step_s, horizon, max_gap_s)[last]
        offsets = table.space.offset(table.position[last][:, None], ahead)
        moment = np.unique(np.stack([table.scene[last], table.time[last]], 1), axis=0, return_inverse=True)[1]
        return cls(offsets, table.owner[last], moment.reshape(-1).astype(np.int64))


def score_tracks(
    predictor: TrajectoryPredictor,
    training: TrackTable,
    table: TrackTable,
    learned: TrackWindows,
    held: TrackWindows,
) -> TrackReport:
    """Score a predictor on windows of a table, beside the naive rules fitted on windows of the training table.

    Args:
        predictor: the trained model.
        training: what it has learned from.
        table: what it has not.
        learned: windows of the training table.
        held: windows of the other table; paths are predicted from their last fixes.
    """
    spec, horizon = predictor.spec, predictor.shape.horizon
    before = Truth.of(training, learned, spec.step_s, horizon, spec.max_gap_s)
    truth = Truth.of(table, held, spec.step_s, horizon, spec.max_gap_s)
    seen = Histories.of(training, learned, spec.step_s)
    rules = fit_rules(track_rules(held.rows.shape[1], bool(spec.place)), seen, before.offsets)
    forecasts = {
        NETWORK: predictor.windows(table, held),
        OFF: predictor.without_correction().windows(table, held),
        **{rule.name: rule.forecast(Histories.of(table, held, spec.step_s)) for rule in rules},
    }
    return report_tracks(forecasts, truth, usual=spec.scale)


def fit_rules(rules: Sequence[TrackRule], histories: Histories, ahead: Array) -> Sequence[TrackRule]:
    """The rules after they have learned from histories and what came after them."""
    return [rule.fit(histories, ahead) for rule in rules]


def report_tracks(
    forecasts: Mapping[str, PathForecasts],
    truth: Truth,
    *,
    usual: float,
    futures: int = 20,
    miss: float | None = None,
    seed: int = 0,
) -> TrackReport:
    """A report from predictions and what came.

    Args:
        forecasts: by name, the network first; all for the same windows in the same order.
        truth: what came.
        usual: length of a usual step, for the limit of a miss.
        futures: k of the best of k.
        miss: an end further away than this is a miss; by default as far as three usual steps.
        seed: of the draws.

    Raises:
        ConfigError: if there is no rule to compare with, or no known position.
        ShapeError: if a forecast is for other windows.
    """
    names = tuple(forecasts)
    if len(names) < 2 or not (~np.isnan(truth.offsets)).any():
        raise ConfigError("a report needs the network, a rule beside it, and a position that is known after an origin")
    for name, answer in forecasts.items():
        if answer.path.shape != truth.offsets.shape:
            raise ShapeError(f"{name} predicts {answer.path.shape}, known is {truth.offsets.shape}")
    limit = 3.0 * usual if miss is None else miss
    errors = {name: distances(truth.offsets, answer.path) for name, answer in forecasts.items()}
    scores = {name: _scores(answer, errors[name], truth, futures, limit, seed) for name, answer in forecasts.items()}
    rules = [name for name in names if name not in (NETWORK, OFF)]
    best = min(rules, key=lambda name: scores[name].ade)
    against = [best, *(name for name in (OFF, "constant velocity") if name in names and name != best)]
    comparisons = {name: compare_paths(errors[names[0]], errors[name], truth.objects, name) for name in against}
    better = {name: float(np.mean(_differences(errors[names[0]], errors[name]) < 0)) for name in names[1:]}
    return TrackReport(names, scores, comparisons, better, best, futures, limit, forecasts[names[0]].space.unit)


def compare_paths(network: Array, rule: Array, objects: Ints, name: str) -> Comparison:
    """The network's mean displacement error beside a rule's, paired by window, with an interval over objects.

    Args:
        network: its errors, [n, horizon].
        rule: the rule's.
        objects: number of the object of each window, [n].
        name: of the rule.
    """
    a, b = person_ade(network), person_ade(rule)
    known = ~np.isnan(a - b)
    number = np.unique(objects[known], return_inverse=True)[1]
    size = int(number.max()) + 1 if len(number) else 0
    sums = np.bincount(number, (a - b)[known], size)[:, None]
    interval = clustered_bootstrap(sums, np.bincount(number, minlength=size)[:, None], resamples=2_000)
    verdict = "no better"
    if interval.excludes_zero and interval.blocks >= ENOUGH_BLOCKS:
        verdict = "better" if interval.upper < 0.0 else "worse"
    return Comparison(name, "ADE", float(np.mean(a[known])), float(np.mean(b[known])), interval, verdict)


def log_density(forecasts: PathForecasts, offsets: Array) -> Array:
    """Log density of where the objects went, offsets from their origins [n, horizon, 2]; [n, horizon]."""
    return mixture_log_density(offsets, *forecasts.by_step())


def density_ranks(forecasts: PathForecasts, offsets: Array, draws: int = DRAWS, seed: int = 0) -> Array:
    """Probability of the region of higher density than where each object went, [n, horizon]; uniform if calibrated.

    For one component that is 1 - exp(-|z|² / 2), exactly; for several it is counted over draws.
    """
    weights, means, factors = forecasts.by_step()
    if weights.shape[-1] == 1:
        z = np.linalg.solve(factors[..., 0, :, :], (offsets - means[..., 0, :])[..., None])[..., 0]
        return np.asarray(1.0 - np.exp(-0.5 * np.square(z).sum(-1)))
    height = log_density(forecasts, offsets)
    drawn = forecasts.futures(draws, seed)
    above = np.zeros_like(height)
    for j in range(draws):
        above += mixture_log_density(drawn[:, j], weights, means, factors) > height
    return np.where(np.isnan(height), np.nan, above / draws)


def best_of(forecasts: PathForecasts, truth: Truth, futures: int, seed: int = 0) -> dict[str, BestOf]:
    """The best of k futures, drawn at random and spread over the distribution."""
    found = {}
    for how in ("draws", "spread"):
        paths = forecasts.futures(futures, seed, "draws" if how == "draws" else "spread")
        errors = distances(truth.offsets[:, None], paths)
        found[how] = BestOf(
            min_ade_per_person(errors),
            min_fde_per_person(errors),
            min_ade_per_scene(errors, truth.moment),
            min_fde_per_scene(errors, truth.moment),
        )
    return found


def _scores(
    forecasts: PathForecasts, errors: Array, truth: Truth, futures: int, limit: float, seed: int
) -> TrackScores:
    few = forecasts.take(np.arange(0, len(forecasts), -(-len(forecasts) // 2_000)))
    known = truth.offsets[:: -(-len(forecasts) // 2_000)]
    likely, calibration, best = float("nan"), {}, {}
    if forecasts.has_distribution:
        likely = nll(log_density(forecasts, truth.offsets))
        shares = region_coverage(density_ranks(few, known, seed=seed), CLAIMED)
        calibration = dict(zip(CLAIMED, shares.tolist(), strict=True))
        best = best_of(forecasts, truth, futures, seed)
    return TrackScores(
        n=int((~np.isnan(errors)).any(1).sum()),
        ade=ade(errors),
        fde=fde(errors),
        by_step=tuple(error_by_step(errors).tolist()),
        miss_rate=miss_rate(errors, limit),
        nll=likely,
        calibration=calibration,
        best_of=best,
    )


def _differences(network: Array, rule: Array) -> Array:
    difference = person_ade(network) - person_ade(rule)
    return difference[~np.isnan(difference)]
