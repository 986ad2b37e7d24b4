"""scaling="auto": each kind learns a little from the older training rows and is scored on the later ones."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from recurra.data.preparation import PreparationSpec
from recurra.data.preparation.rows import Rows
from recurra.data.series import SeriesTable
from recurra.errors import TooShortError
from recurra.learners.choices import mean_steps, validation_cuts
from recurra.learners.schema import ForecasterConfig
from recurra.prediction import AnyPredictor

KINDS = ("running", "instance", "standard", "mean_abs", "robust", "log")
EPOCHS = 5
FED_BACK = 100
SHARE_OF_TIME = 0.3
Trial = Callable[[SeriesTable, Rows, PreparationSpec, ForecasterConfig], AnyPredictor]


def choose_scaling(
    training: SeriesTable, spec: PreparationSpec, config: ForecasterConfig, trial: Trial
) -> tuple[str, str]:
    """The kind of scale with the lowest quantile loss on held-out training rows, and the reason in words.

    The rows that fit validates on take no part. Losses are in units of the target, each series divided by its mean
    absolute step, so that all kinds are held against the same numbers.

    Args:
        training: the training rows.
        spec: what the inputs are made of.
        config: the settings.
        trial: trains a network on a table up to its cuts.
    """
    try:
        cuts = validation_cuts(training, config)
    except TooShortError:
        return KINDS[0], "the training rows are too few to hold some of them out; running follows each series"
    logs = not np.any(training.y < 0) and config.output not in ("log_normal", "negative_binomial")
    kinds = [kind for kind in KINDS if kind != "log" or logs]
    share = None if config.max_seconds is None else SHARE_OF_TIME * config.max_seconds / len(kinds)
    changes = {"max_epochs": min(config.max_epochs, EPOCHS), "max_seconds": share, "progress": "none"}
    brief = config.model_copy(update=changes)
    losses = {
        kind: held_out_loss(trial(training, cuts, replace(spec, scaling=kind), brief), training, cuts) for kind in kinds
    }
    best = min(kinds, key=lambda kind: losses[kind])
    told = ", ".join(f"{kind} {losses[kind]:.4f}" for kind in kinds)
    reason = f"lowest quantile loss on held-out training rows, in mean absolute steps, after {brief.max_epochs} epochs"
    return best, f"{reason} at most ({told})"


def held_out_loss(predictor: AnyPredictor, table: SeriesTable, cuts: Rows) -> float:
    """Quantile loss of forecasts of held-out rows, over all steps ahead, each series in its mean absolute steps.

    Source: Koenker & Bassett 1978 (the pinball loss).

    Args:
        predictor: trained on the rows before the cuts.
        table: all rows.
        cuts: first held-out row of each series, counted from its first, [series].
    """
    hindcast = predictor.hindcast(
        table, np.maximum(cuts - 1, 0), predictor.affordable if predictor.is_direct else FED_BACK
    )
    error = hindcast.actual[:, :, None] - hindcast.quantiles
    levels = np.array(hindcast.levels)
    pinball = np.maximum(levels * error, (levels - 1.0) * error).mean(axis=2)
    pinball /= mean_steps(table.truncate(cuts))[table.series_of_rows[hindcast.rows]][:, None]
    known = pinball[np.isfinite(pinball)]
    return float(known.mean()) if len(known) else float("inf")
