"""recurra fit: train a model on a table and save it as a folder."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import print_json, say
from recurra.cli._settings import flags, settings
from recurra.cli.app import INTERRUPTED, OK
from recurra.errors import NonFiniteLossError
from recurra.learners.schema import ForecasterConfig

PROGRESS = "auto"
ForecasterFlags: Any = flags(ForecasterConfig, progress=PROGRESS)
NOTHING_GIVEN = ForecasterFlags()


def fit(
    table: str,
    /,
    *,
    out: Path,
    overwrite: bool = False,
    config: Path | None = None,
    given: Annotated[ForecasterFlags, Parameter(name="*")] = NOTHING_GIVEN,
    common: Common = NO_FLAGS,
) -> int:
    """Train a model on a table of time series, and save it.

    Args:
        table: Long table with a row per series and time: .csv, .tsv, .parquet, or .gz of these.
        out: Folder for the model.
        overwrite: Replace the model that is in that folder.
        config: TOML file with settings in a table named forecaster; flags win over it.
        given: Settings of the forecaster.
        common: Flags that every verb has.
    """
    from recurra import Forecaster

    learner = Forecaster(**learner_settings(given, config, common))
    return train_and_save(learner, lambda: learner.fit(table), out, overwrite, common)


def train_and_save(learner: Any, train: Callable[[], object], out: Path, overwrite: bool, common: Common) -> int:
    """Train a learner, save it, and say so; the exit code.

    Args:
        learner: what is trained.
        train: fits it.
        out: folder for the model.
        overwrite: whether a model there may be replaced.
        common: flags that every verb has.
    """
    from recurra.checkpoints import check_output_folder

    check_output_folder(out, overwrite=overwrite)
    try:
        train()
    except NonFiniteLossError:
        if learner.history_.best_epoch or math.isfinite(learner.history_.best_loss):
            learner.save(out, overwrite=overwrite)
            say(f"saved the last good weights, of epoch {learner.history_.best_epoch}, in {out}")
        raise
    learner.save(out, overwrite=overwrite)
    _report(learner, out, common)
    if learner.history_.ending == "interrupted":
        say("recurra: interrupted; the best model so far was saved")
        return INTERRUPTED
    return OK


def _report(learner: Any, out: Path, common: Common) -> None:
    kept = getattr(learner, "reasons_", {}).get("kept")
    if not common.json:
        if kept:
            print(f"kept {kept}")
        print(f"saved {out} ({learner.n_parameters_} parameters, model {learner.model_hash_[:12]})")
        return
    history = learner.history_
    training = {
        "ending": history.ending,
        "epochs": len(history.epochs),
        "seconds": history.seconds,
        "best_epoch": history.best_epoch,
        "best_loss": history.best_loss,
        "kept": kept,
    }
    model = {"model": str(out), "model_hash": learner.model_hash_, "n_parameters": learner.n_parameters_}
    print_json({**model, "training": training})


def learner_settings(given: object, config: Path | None, common: Common) -> dict[str, Any]:
    """Keywords for the Forecaster; training shows itself on standard error unless told otherwise."""
    progress = "json" if common.json else PROGRESS
    return {"progress": progress, **settings(ForecasterConfig, given, config)}
