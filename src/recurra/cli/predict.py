"""recurra predict: dated forecasts of what comes after a table's last rows."""

import sys
from pathlib import Path

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import check_output_file, print_json, rows_of, say, to_csv, write_atomically, write_parquet
from recurra.errors import ConfigError


def predict(
    model: Path, table: str, /, *, future: str | None = None, out: Path | None = None, common: Common = NO_FLAGS
) -> None:
    """Forecast what comes after a table's last rows.

    Args:
        model: Folder of a model that `recurra fit` saved.
        table: Rows so far, with the columns the model was trained on.
        future: Table of the covariates that are known in advance, for the steps to forecast.
        out: Write a .csv or .parquet file instead of CSV on standard output.
        common: Flags that every verb has.
    """
    import recurra

    check_output_file(out, known=(".csv", ".parquet"))
    learner = recurra.load(model)
    if future is not None and not hasattr(learner, "frequency_"):
        raise ConfigError("this model knows no covariates that are known in advance; leave out --future")
    table_of_forecasts = learner.predict(table) if future is None else learner.predict(table, future)
    rows = rows_of(table_of_forecasts)
    if out is not None:
        if out.suffix == ".parquet":
            write_parquet(out, table_of_forecasts)
        else:
            write_atomically(out, to_csv(rows).encode())
        say(f"wrote {len(rows)} rows to {out}")
    if common.json:
        print_json({"model_hash": learner.model_hash_, "forecasts": rows})
    elif out is None:
        sys.stdout.write(to_csv(rows))
