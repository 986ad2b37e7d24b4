"""Fitting several networks that differ by their seed, to answer as one."""

from dataclasses import replace

from recurra.data.series import SeriesTable
from recurra.learners.choices import stopping_ends, validation_cuts
from recurra.learners.fitting import Fitted, fit_forecaster, validation_scores
from recurra.learners.held_out import calibrate_ensemble
from recurra.learners.schema import ForecasterConfig
from recurra.prediction import ForecastPredictor
from recurra.prediction.ensemble import EnsemblePredictor


def fit_ensemble(table: SeriesTable, config: ForecasterConfig) -> Fitted:
    """One network, or `n_ensemble` of them with the seeds seed ... seed + n_ensemble - 1.

    The first one's choices (the rule that is corrected, the scaling) hold for all. Its training run is the one that
    is told of; `max_seconds` is shared out evenly.
    """
    n = config.n_ensemble
    if n == 1:
        return fit_forecaster(table, config)
    share = None if config.max_seconds is None else config.max_seconds / n
    first = fit_forecaster(table, config.model_copy(update={"max_seconds": share}))
    fitted = [first]
    spec = first.predictor.preparation.spec
    chosen = {"residual": spec.reference, "scaling": spec.scaling, "max_seconds": share}
    for i in range(1, n):
        if fitted[-1].error is not None or fitted[-1].history.ending == "interrupted":
            break
        fitted.append(fit_forecaster(table, config.model_copy(update={**chosen, "seed": config.seed + i})))
    members = [one.predictor for one in fitted if isinstance(one.predictor, ForecastPredictor)]
    predictor = EnsemblePredictor(members)
    cuts = validation_cuts(table, config)
    why = {name: reason for name, reason in first.reasons.items() if name != "kept"}
    rules = sum("kept" in one.reasons for one in fitted)
    if rules:
        why["kept"] = f"the rule itself by {rules} of {len(fitted)} networks, which gained nothing that shows"
    margins: dict[str, str] = {}
    if config.conformal:
        predictor, margins = calibrate_ensemble(predictor, table, cuts - 1, stopping_ends(table, cuts, config))
    held_out = predictor.hindcast(table, cuts - 1, predictor.affordable)
    losses = ", ".join(f"{one.history.best_loss:.4f}" for one in fitted)
    told = f"{len(members)} networks with seeds {config.seed} to {config.seed + len(members) - 1} (losses {losses})"
    return replace(
        first,
        predictor=predictor,
        reasons={**why, **margins, "ensemble": told},
        validation=validation_scores(predictor, table, held_out),
        error=next((one.error for one in fitted if one.error is not None), None),
    )
