"""What a forecaster chooses for itself from its training rows: context, validation part, naive rule."""

import math
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt

from recurra.baselines import LinearWindow, default_context
from recurra.data.preparation import Preparation, PreparationSpec, ReferenceKind
from recurra.data.preparation.rows import Rows
from recurra.data.preparation.units import in_model_units
from recurra.data.series import SeriesTable
from recurra.errors import TooShortError
from recurra.learners.schema import ForecasterConfig

Linear = npt.NDArray[np.float64]
LOOKED_AT = 20_000
FURTHEST = 336
"""Values that the linear rule reads at most, where the network reads more than the rule does by default."""
HANDICAP: dict[ReferenceKind, float] = {
    "none": 1.0,
    "season_mean": 1.0,
    "naive": 2.0,
    "seasonal": 4.0,
    "seasonal_change": 4.0,
}
"""A rule that copies single values copies their noise, which the network would have to learn to take back."""


def choose_context(config: ForecasterConfig, season: int) -> int:
    """Steps of a training window: two seasons, two horizons, and at least 32, within 256."""
    if config.context is not None:
        return config.context
    return min(max(32, 2 * season, 2 * config.horizon), 256)


def network_horizon(config: ForecasterConfig) -> int:
    """Steps that the network forecasts at once: one if its forecasts are fed back."""
    return 1 if config.decoder == "recursive" else config.horizon


def choose_segment(config: ForecasterConfig, season: int) -> int:
    """Values in a segment: a season if there is one, but at most the horizon."""
    return config.segment_length or max(1, min(season if season > 1 else 8, config.horizon, 48))


def choose_lookback(config: ForecasterConfig, season: int) -> int:
    """Last values that the segments are cut from: the context in whole segments; 0 for the other networks."""
    if config.decoder != "segments":
        return 0
    segment = choose_segment(config, season)
    return -(-choose_context(config, season) // segment) * segment


def stopping_ends(table: SeriesTable, cuts: Rows, config: ForecasterConfig) -> Rows:
    """One past the last row of each series that training is stopped on, counted from its first.

    Without calibration that is the end; with it the first half of the validation part, if the second half then still
    holds two horizons, so that the rows to calibrate on have decided nothing.
    """
    lengths = table.lengths
    if not config.conformal:
        return np.asarray(lengths, np.int64)
    middle = cuts + (lengths - cuts + 1) // 2
    return np.where(lengths - middle >= 2 * config.horizon, middle, lengths).astype(np.int64)


def scale_memory(scaling: str, season: int, config: ForecasterConfig) -> int:
    """Observations that level and scale reach back over: two seasons, or 32 where there is no season.

    Under "instance" they are those of a training window.
    """
    if scaling == "instance":
        return choose_context(config, season)
    return 2 * season if season > 1 else 32


def needed_rows(config: ForecasterConfig) -> int:
    """Rows that a series must have to be learned from and validated on."""
    return config.context + config.horizon if config.context is not None else 2 * config.horizon + 2


def validation_cuts(table: SeriesTable, config: ForecasterConfig) -> Rows:
    """Training rows of each series, counted from its first; what follows is validated on.

    A series that is too short to be cut trains as a whole.

    Raises:
        TooShortError: if all series are too short; names the first one, and what it would take.
    """
    lengths, needed = table.lengths, needed_rows(config)
    if (lengths < needed).all():
        why = "context + horizon" if config.context is not None else "two horizons and two more"
        raise TooShortError(
            f"series {table.ids[0]!r} has {lengths[0]} rows; horizon={config.horizon} needs at least {needed} ({why}); "
            f"leave the series out, or choose a smaller horizon or context ({table.n_series} of {table.n_series} "
            "series are too short)"
        )
    if config.validation >= 1:
        wanted = np.full(table.n_series, int(config.validation))
    else:
        wanted = np.maximum(np.ceil(config.validation * lengths).astype(np.int64), config.horizon)
    most = np.maximum(lengths - config.horizon - 2, 0)
    if config.validation >= 1 and (wanted > most).all():
        raise TooShortError(
            f"series {table.ids[0]!r} has {lengths[0]} rows; validation={config.validation} leaves too few to learn "
            f"from (horizon + 2 = {config.horizon + 2} are needed); choose a smaller validation"
        )
    held_out = np.where(lengths < min(needed, 2 * config.horizon + 2), 0, np.minimum(wanted, most))
    result: Rows = (lengths - held_out).astype(np.int64)
    return result


@dataclass(frozen=True)
class Candidate:
    """A rule that the network may correct: its kind, the linear rule's weights, and why it is a candidate."""

    kind: ReferenceKind
    linear: Linear | None
    reason: str


def candidate_references(training: SeriesTable, spec: PreparationSpec, config: ForecasterConfig) -> list[Candidate]:
    """The rules worth trying, from the training rows alone: the one that was asked for, or up to three.

    "auto" tries the linear rule, if the series are long enough for one, and the best of the others. Their
    error is the mean absolute error over all steps ahead, each series in units of its own mean absolute
    step, so that no series counts for its size. Rules that average are preferred: one that copies single
    values is taken only where its error is lower by its handicap. The last value is tried before them where nothing
    has a lower error: such series, as prices, wander, and their latest value is no noise.
    """
    training = in_model_units(training, spec.scaling)
    if config.residual not in ("auto", "linear"):
        return [Candidate(cast("ReferenceKind", config.residual), None, "as asked")]
    reach = max(default_context(spec.season), min(spec.lookback, FURTHEST))
    linear = LinearWindow(reach).fit(training).weights(spec.horizon)
    if config.residual == "linear":
        if linear is None:
            raise TooShortError("residual='linear' needs longer series; use residual='auto'")
        return [Candidate("linear", linear, "as asked")]
    kinds: list[ReferenceKind] = ["none", "naive"]
    if spec.season > 1:
        kinds += ["season_mean", "seasonal", "seasonal_change"]
    errors = {kind: _reference_error(training, replace(spec, reference=kind), config.seed) for kind in kinds}
    best = min(kinds, key=lambda kind: HANDICAP[kind] * errors[kind])
    told = ", ".join(f"{kind} {errors[kind]:.3f} x {HANDICAP[kind]:g}" for kind in kinds)
    candidates = [Candidate(best, None, f"lowest training error in mean absolute steps, with handicap ({told})")]
    if best != "naive" and math.isfinite(errors["naive"]) and errors["naive"] == min(errors.values()):
        candidates.insert(0, Candidate("naive", None, f"lowest training error in mean absolute steps ({told})"))
    if linear is not None:
        candidates.append(Candidate("linear", linear, "a linear map of the last values, fitted on the training rows"))
    return candidates


def _reference_error(training: SeriesTable, spec: PreparationSpec, seed: int) -> float:
    bare = replace(spec, scaling="standard", past=(), future=(), calendar=(), static=(), targets=())
    prepared = Preparation.fit(training, bare).rows(training)
    rows = np.flatnonzero(prepared.age >= min(spec.season, 8))
    if len(rows) > LOOKED_AT:
        rows = np.sort(np.random.default_rng(seed).choice(rows, LOOKED_AT, replace=False))
    error = np.abs(prepared.targets(rows, prepared.offsets[1:]) - prepared.ahead(rows))
    scaled = error / mean_steps(training)[prepared.owner[rows]][:, None]
    return float(np.nanmean(scaled)) if np.isfinite(scaled).any() else math.inf


def mean_steps(training: SeriesTable) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Mean absolute difference of neighbouring rows of each series, 1 for one that does not vary, [series]."""
    steps = np.ones(training.n_series)
    for i in range(training.n_series):
        change = np.abs(np.diff(training.y[training.offsets[i] : training.offsets[i + 1]]))
        change = change[~np.isnan(change)]
        steps[i] = float(change.mean()) if len(change) and change.mean() > 0 else 1.0
    return steps
