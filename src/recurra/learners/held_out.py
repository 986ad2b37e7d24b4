"""What a forecaster learns from the forecasts of its validation part: how steps hang together, and margins."""

from dataclasses import replace

import numpy as np

from recurra.data.preparation import Preparation
from recurra.data.preparation.reference import Array
from recurra.data.preparation.rows import Rows
from recurra.data.preparation.units import to_model_units
from recurra.data.series import SeriesTable
from recurra.learners.schema import ForecasterConfig
from recurra.prediction import EnsemblePredictor, ForecastPredictor, Hindcast
from recurra.prediction.conformal import Conformal
from recurra.prediction.copula import Copula

RANKED = 4_000
"""Origins that correlations are learned from at most, evenly spaced."""


def learn_from_held_out(
    predictor: ForecastPredictor, table: SeriesTable, held_out: Hindcast, stops: Rows, config: ForecasterConfig
) -> tuple[ForecastPredictor, dict[str, str]]:
    """The predictor with its copula and, if asked for, its margins; and what is to be said of these.

    Args:
        predictor: trained.
        table: all rows.
        held_out: its forecasts of the validation part.
        stops: one past the last row of each series that training was stopped on, counted from its first.
        config: the settings.
    """
    copula = None
    has_ranks = config.output != "quantiles" or len(config.quantiles) > 1
    if predictor.is_direct and predictor.horizon > 1 and has_ranks:
        every = -(-len(held_out.ranks) // RANKED) or 1
        copula = Copula.fit(held_out.ranks[::every], _whole_windows(held_out))
    if not config.conformal:
        return predictor.with_(copula, None), {}
    part, told = _calibration_part(table, held_out, stops)
    conformal, after = learn_margins(predictor.preparation, table, part)
    told += _coverages(part, after)
    return predictor.with_(copula, conformal), {"conformal": told}


def learn_margins(preparation: Preparation, table: SeriesTable, part: Hindcast) -> tuple[Conformal, Array]:
    """Margins from held-out forecasts, and these forecasts with them, in the units of the target.

    Args:
        preparation: of the model; says the step scale of each origin.
        table: all rows.
        part: the forecasts.
    """
    step, scaling = preparation.rows(table).step[part.rows], preparation.spec.scaling
    quantiles = to_model_units(part.quantiles, scaling)
    conformal = Conformal.fit(part.levels, quantiles, to_model_units(part.actual, scaling), step)
    return conformal, preparation.in_units(conformal.apply(quantiles, step))


def calibrate_ensemble(
    ensemble: EnsemblePredictor, table: SeriesTable, first: Rows, stops: Rows
) -> tuple[EnsemblePredictor, dict[str, str]]:
    """The ensemble with margins of its own, and what is to be said of them.

    They come from the mean quantiles and are given to every member: the mean of the moved quantiles is then the moved
    mean. The coverage told is that of the ensemble so made.

    Args:
        ensemble: trained; margins that its members have are dropped.
        table: all rows.
        first: row number to forecast from, [series].
        stops: as for `learn_from_held_out`.
    """
    bare = EnsemblePredictor([member.with_margins(None) for member in ensemble.members])
    part, told = _calibration_part(table, bare.hindcast(table, first, bare.affordable), stops)
    conformal, _ = learn_margins(bare.preparation, table, part)
    moved = EnsemblePredictor([member.with_margins(conformal) for member in bare.members])
    after, _ = _calibration_part(table, moved.hindcast(table, first, moved.affordable), stops)
    return moved, {"conformal": f"{told}{_coverages(part, after.quantiles)}"}


def _calibration_part(table: SeriesTable, held_out: Hindcast, stops: Rows) -> tuple[Hindcast, str]:
    """Forecasts of rows that training was not stopped on, if any are kept for it, and their description."""
    owner = table.series_of_rows[held_out.rows]
    ends = table.offsets[:-1] + stops
    kept = held_out.rows >= ends[owner] - 1
    apart = bool((stops < table.lengths).any())
    if apart:
        kept &= ~np.isnan(held_out.actual).all(axis=1)
        arrays = {name: getattr(held_out, name)[kept] for name in ("rows", "quantiles", "actual", "mean", "ranks")}
        held_out = replace(held_out, **arrays)
    origins = int((~np.isnan(held_out.actual)).any(axis=1).sum())
    if apart:
        return held_out, f"margins from {origins} origins in rows that decided nothing else"
    return held_out, f"margins from {origins} origins of the validation part, which training was stopped on too"


def _whole_windows(held_out: Hindcast) -> float:
    """Windows that do not overlap in the held-out origins, about."""
    whole = ~np.isnan(held_out.actual).any(axis=1)
    return int(np.count_nonzero(whole)) / int(held_out.actual.shape[1])


def _coverages(part: Hindcast, after: Array) -> str:
    held = [100 * _coverage(quantiles, part.actual) for quantiles in (part.quantiles, after)]
    wide = 100 * (part.levels[-1] - part.levels[0])
    return f"; the {wide:.3g} % interval held {held[0]:.1f} % of their values before and {held[1]:.1f} % after"


def _coverage(quantiles: Array, actual: Array) -> float:
    known = ~np.isnan(actual) & ~np.isnan(quantiles[..., 0])
    inside = (quantiles[..., 0] <= actual) & (actual <= quantiles[..., -1])
    return float(np.mean(inside[known])) if known.any() else float("nan")
