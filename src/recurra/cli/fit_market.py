"""recurra fit --task market, and backtest: learn from trading days, and walk forward beside the rules of the field."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import check_output_file, print_json, say, to_json, write_atomically
from recurra.cli._settings import flags, settings
from recurra.cli.fit import PROGRESS, train_and_save
from recurra.learners.market_schema import MarketConfig

TABLE = "market"
MarketFlags: Any = flags(MarketConfig, progress=PROGRESS)
NO_MARKET_FLAGS = MarketFlags()


def fit_market(
    table: str,
    /,
    *,
    out: Path,
    overwrite: bool = False,
    config: Path | None = None,
    given: Annotated[MarketFlags, Parameter(name="*")] = NO_MARKET_FLAGS,
    common: Common = NO_FLAGS,
) -> int:
    """Train a network on trading days, and save it.

    Args:
        table: Table with a row per asset and trading day: .csv, .tsv, .parquet, or .gz of these.
        out: Folder for the model.
        overwrite: Replace the model that is in that folder.
        config: TOML file with settings in a table named market; flags win over it.
        given: Settings of the network.
        common: Flags that every verb has.
    """
    from recurra import MarketForecaster

    learner = MarketForecaster(**_settings(given, config, common))
    return train_and_save(learner, lambda: learner.fit(table), out, overwrite, common)


def backtest_market(
    table: str,
    /,
    *,
    since: str,
    refit: int = 250,
    seeds: int = 1,
    out: Path | None = None,
    config: Path | None = None,
    given: Annotated[MarketFlags, Parameter(name="*")] = NO_MARKET_FLAGS,
    common: Common = NO_FLAGS,
) -> None:
    """Walk forward through trading days beside the rules of the field, and say whether there is evidence of skill.

    Args:
        table: Table with a row per asset and trading day: .csv, .tsv, .parquet, or .gz of these.
        since: First day that is forecast, as in 2015-01-02; the days before are learned from.
        refit: Trading days after which everything is fitted anew.
        seeds: Networks whose losses are averaged.
        out: Write the whole report to this file, as JSON.
        config: TOML file with settings in a table named market; flags win over it.
        given: Settings of the network.
        common: Flags that every verb has.
    """
    from recurra import MarketForecaster

    check_output_file(out)
    report = MarketForecaster(**_settings(given, config, common)).backtest(table, since, refit, seeds)
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
    return {"progress": progress, **settings(MarketConfig, given, config, TABLE)}
