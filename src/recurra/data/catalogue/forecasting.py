"""The forecasting sets of the catalogue as tables of series."""

from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from recurra.data._delimited import read_delimited
from recurra.data.catalogue.store import locate
from recurra.data.columns import Columns
from recurra.data.series import SeriesTable


class M4Weekly(NamedTuple):
    """M4 Weekly, with the competition's own cut.

    Attributes:
        train: 359 series, stamps 1, 2, 3 ... (the published files have no dates).
        test: the 13 weeks after each, stamps going on.
    """

    train: SeriesTable
    test: SeriesTable


def load_cta_ridership() -> SeriesTable:
    """Chicago's daily boardings, 2001-01-01 to 2021-11-30, as one series per mode.

    The file holds the months 2011-10 and 2014-07 twice, with the same values; the second copies are dropped. Days of
    any other repetition would be refused.

    Returns:
        Series "bus" and "rail" (boardings), covariate "day_type": "W" weekday, "A" Saturday, "U" Sunday or holiday.

    Raises:
        DataSetNotFound, ChecksumError: as for `locate`.
    """
    columns = read_delimited(locate("cta_ridership"), ",")
    wanted = [columns[name] for name in ("service_date", "day_type", "bus", "rail_boardings")]
    rows = list(dict.fromkeys(zip(*wanted, strict=True)))
    dates, day_types, bus, rail = (list(part) for part in zip(*rows, strict=True))
    order = np.argsort(np.array([f"{date[6:]}-{date[:2]}-{date[3:5]}" for date in dates]))
    days = [dates[i] for i in order]
    table = {
        "unique_id": ["bus"] * len(rows) + ["rail"] * len(rows),
        "ds": days * 2,
        "y": [bus[i] for i in order] + [rail[i] for i in order],
        "day_type": [day_types[i] for i in order] * 2,
    }
    return SeriesTable.from_table(table, columns=Columns(date_format="%m/%d/%Y"), covariates=["day_type"], freq="D")


def load_m4_weekly() -> M4Weekly:
    """M4 Weekly: 359 series of 80 to 2,597 weeks, and the 13 weeks after each.

    Raises:
        DataSetNotFound, ChecksumError: as for `locate`.
    """
    folder = locate("m4_weekly")
    train, test = (_read_wide(read_delimited(folder / f"m4_weekly_{part}.csv", ",")) for part in ("train", "test"))
    return M4Weekly(
        _as_series({name: (1, values) for name, values in train.items()}),
        _as_series({name: (len(train[name]) + 1, test[name]) for name in train}),
    )


def load_etth1() -> SeriesTable:
    """ETTh1: 17,420 hours from 2016-07-01, its seven columns (HUFL ... OT) as seven series.

    Raises:
        DataSetNotFound, ChecksumError: as for `locate`.
    """
    columns = read_delimited(locate("etth1"), ",")
    dates = columns.pop("date")
    table = {
        "unique_id": np.repeat(np.array(list(columns), object), len(dates)),
        "ds": dates * len(columns),
        "y": [value for values in columns.values() for value in values],
    }
    return SeriesTable.from_table(table, freq="h")


def _read_wide(columns: dict[str, list[str]]) -> dict[str, list[str]]:
    """One series per row, the first column its name, empty cells after its end."""
    names, *weeks = columns.values()
    return {
        name: [value for value in row if value]
        for name, row in zip(names, zip_longest(*weeks, fillvalue=""), strict=True)
    }


def _as_series(series: dict[str, tuple[int, list[str]]]) -> SeriesTable:
    """Series by name: the number of the first week, and the values."""
    lengths = [len(values) for _, values in series.values()]
    table = {
        "unique_id": np.repeat(np.array(list(series), object), lengths),
        "ds": np.concatenate([np.arange(first, first + len(values)) for first, values in series.values()]),
        "y": [value for _, values in series.values() for value in values],
    }
    return SeriesTable.from_table(table, freq="1")
