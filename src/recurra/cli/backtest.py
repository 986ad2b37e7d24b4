"""recurra backtest: score a forecaster beside the naive rules, on rows that it has not seen."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import check_output_file, print_json, say, to_json, write_atomically
from recurra.cli.fit import NOTHING_GIVEN, ForecasterFlags, learner_settings


def backtest(
    table: str,
    /,
    *,
    folds: int = 8,
    stride: int | None = None,
    refit: bool = False,
    refit_every: int = 1,
    window: Literal["expanding", "sliding"] = "expanding",
    overlap: Literal["refuse", "declare"] = "refuse",
    out: Path | None = None,
    config: Path | None = None,
    given: Annotated[ForecasterFlags, Parameter(name="*")] = NOTHING_GIVEN,
    common: Common = NO_FLAGS,
) -> None:
    """Score a forecaster beside the naive rules, on rows that it has not seen.

    The origin rolls forward: each fold forecasts the horizon after its origin from the rows before it.

    Args:
        table: Long table with a row per series and time: .csv, .tsv, .parquet, or .gz of these.
        folds: Number of origins.
        stride: Rows between origins; the horizon if not given.
        refit: Train anew for every fold, instead of once before the first.
        refit_every: With --refit, train anew for every so many folds only.
        window: Train on all rows before a fold (expanding), or on as many as the first fold has (sliding).
        overlap: What to do about a stride below the horizon: refuse, or declare it in the report.
        out: Write the whole report to this file, as JSON.
        config: TOML file with settings in a table named forecaster; flags win over it.
        given: Settings of the forecaster.
        common: Flags that every verb has.
    """
    from recurra import Forecaster

    check_output_file(out)
    learner = Forecaster(**learner_settings(given, config, common))
    often = refit_every if refit else 0
    report = learner.backtest(table, folds=folds, stride=stride, refit=often, window=window, overlap=overlap)
    if out is not None:
        write_atomically(out, (to_json(report.to_dict()) + "\n").encode())
        say(f"wrote {out}")
    if common.json:
        print_json(report.to_dict())
    else:
        print(report)
