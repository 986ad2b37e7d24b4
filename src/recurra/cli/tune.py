"""recurra tune: choose a forecaster's settings on held-out past rows, fit the best, and save it."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import print_json, say
from recurra.cli.fit import NOTHING_GIVEN, ForecasterFlags, learner_settings


def tune(
    table: str,
    /,
    *,
    out: Path,
    trials: int = 20,
    storage: str | None = None,
    search_seconds: float | None = None,
    overwrite: bool = False,
    config: Path | None = None,
    given: Annotated[ForecasterFlags, Parameter(name="*")] = NOTHING_GIVEN,
    common: Common = NO_FLAGS,
) -> None:
    """Choose settings with Optuna on held-out past rows, and save the forecaster that has the best.

    Args:
        table: Long table of past rows only: .csv, .tsv, .parquet, or .gz of these.
        out: Folder for the model.
        trials: Trials there shall be in the end; those in the storage count.
        storage: File, or a database's address, that keeps the trials, so that the search can go on.
        search_seconds: No trial begins after so many seconds.
        overwrite: Replace the model that is in that folder.
        config: TOML file with settings in a table named forecaster; flags win over it.
        given: Settings of the forecaster where the search starts.
        common: Flags that every verb has.
    """
    from recurra import Forecaster
    from recurra.checkpoints import check_output_folder

    check_output_folder(out, overwrite=overwrite)
    learner = Forecaster(**learner_settings(given, config, common))
    tuned = learner.tune(table, trials, storage=storage, max_seconds=search_seconds)
    tuned.model.save(out, overwrite=overwrite)
    if common.json:
        told = {"model": str(out), "model_hash": tuned.model.model_hash_}
        print_json({**told, "best": tuned.best, "trials": tuned.trials})
        return
    for trial in tuned.trials:
        loss = "" if trial["loss"] is None else f"  loss {trial['loss']:.4f}"
        wrong = f"  {trial['wrong']}" if "wrong" in trial else ""
        say(f"trial {trial['number']:3d}  {trial['state']}{loss}{wrong}")
    shown = {name: f"{value:.3g}" if isinstance(value, float) else str(value) for name, value in tuned.best.items()}
    print(f"saved {out} ({', '.join(f'{name} {value}' for name, value in shown.items())})")
