"""What a forecaster learns from the forecasts of its validation part: how steps hang together, and margins."""

from dataclasses import replace

import numpy as np

from recurra.data.preparation.reference import Array
from recurra.data.preparation.rows import Rows
from recurra.data.preparation.units import to_model_units
from recurra.data.series import SeriesTable
from recurra.learners.schema import ForecasterConfig
from recurra.prediction import ForecastPredictor, Hindcast
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
    step, scaling = predictor.preparation.rows(table).step[part.rows], predictor.preparation.spec.scaling
    quantiles, actual = to_model_units(part.quantiles, scaling), to_model_units(part.actual, scaling)
    conformal = Conformal.fit(config.quantiles, quantiles, actual, step)
    before, after = (100 * _coverage(said, actual) for said in (quantiles, conformal.apply(quantiles, step)))
    wide = 100 * (config.quantiles[-1] - config.quantiles[0])
    told += f"; the {wide:.3g} % interval held {before:.1f} % of their values before and {after:.1f} % after"
    return predictor.with_(copula, conformal), {"conformal": told}


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


def _coverage(quantiles: Array, actual: Array) -> float:
    known = ~np.isnan(actual)
    inside = (quantiles[..., 0] <= actual) & (actual <= quantiles[..., -1])
    return float(np.mean(inside[known])) if known.any() else float("nan")
