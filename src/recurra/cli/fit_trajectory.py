"""recurra fit --task trajectory, and backtest: learn from the fixes of moving objects, and score it honestly."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import check_output_file, print_json, say, to_json, write_atomically
from recurra.cli._settings import flags, settings
from recurra.cli.fit import PROGRESS, train_and_save
from recurra.learners.trajectory_schema import TrajectoryConfig

TABLE = "trajectory"
TrajectoryFlags: Any = flags(TrajectoryConfig, progress=PROGRESS)
NO_TRAJECTORY_FLAGS = TrajectoryFlags()


def fit_trajectory(
    table: str,
    /,
    *,
    out: Path,
    validate_on: str | None = None,
    overwrite: bool = False,
    config: Path | None = None,
    given: Annotated[TrajectoryFlags, Parameter(name="*")] = NO_TRAJECTORY_FLAGS,
    common: Common = NO_FLAGS,
) -> int:
    """Train a network on the fixes of moving objects, and save it.

    Args:
        table: Table with a row per object and time: .csv, .tsv, .parquet, or .gz of these.
        out: Folder for the model.
        validate_on: Table of the same kind to validate on; without it a part of the first one.
        overwrite: Replace the model that is in that folder.
        config: TOML file with settings in a table named trajectory; flags win over it.
        given: Settings of the network.
        common: Flags that every verb has.
    """
    from recurra import TrajectoryForecaster

    learner = TrajectoryForecaster(**_settings(given, config, common))
    return train_and_save(learner, lambda: learner.fit(table, validate_on), out, overwrite, common)


def backtest_trajectory(
    table: str,
    /,
    *,
    share: float = 0.2,
    out: Path | None = None,
    config: Path | None = None,
    given: Annotated[TrajectoryFlags, Parameter(name="*")] = NO_TRAJECTORY_FLAGS,
    common: Common = NO_FLAGS,
) -> None:
    """Score a trajectory network beside the naive rules, on objects that it has not seen.

    Args:
        table: Table with a row per object and time: .csv, .tsv, .parquet, or .gz of these.
        share: Of the objects, or with --split time of the time, that are held out.
        out: Write the whole report to this file, as JSON.
        config: TOML file with settings in a table named trajectory; flags win over it.
        given: Settings of the network.
        common: Flags that every verb has.
    """
    from recurra import TrajectoryForecaster

    check_output_file(out)
    report = TrajectoryForecaster(**_settings(given, config, common)).backtest(table, share)
    if out is not None:
        write_atomically(out, (to_json(report.to_dict()) + "\n").encode())
        say(f"wrote {out}")
    if common.json:
        print_json(report.to_dict())
    else:
        print(report)


def _settings(given: object, config: Path | None, common: Common) -> dict[str, Any]:
    """Keywords for the learner; training shows itself on standard error unless told otherwise."""
    progress = "json" if common.json else PROGRESS
    return {"progress": progress, **settings(TrajectoryConfig, given, config, TABLE)}
