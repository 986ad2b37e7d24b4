"""The stock market set of the catalogue as a market table."""

from dataclasses import replace

import numpy as np

from recurra.data._delimited import read_delimited
from recurra.data.catalogue.store import locate
from recurra.data.market import MarketColumns, MarketPolicy, MarketTable

FIRST_REALISED = np.datetime64("2000-01-03", "us")
SP500_COLUMNS = MarketColumns(
    ds="date", close=None, returns="return", realised="rv", log_covariates=("vix",), date_format="%Y-%m-%d"
)


def load_sp500(*, vix: bool = True) -> MarketTable:
    """The S&P 500 from 2000-01-03 to 2018-04-30: 4,610 days with return, 5-minute realised variance, and ln VIX.

    Ten days of 2000 to 2004 have no complete intraday record: their variance is masked.

    Args:
        vix: whether the logarithm of the VIX is a covariate.

    Raises:
        DataSetNotFound, ChecksumError: as for `locate`.
    """
    columns = SP500_COLUMNS if vix else replace(SP500_COLUMNS, log_covariates=())
    table = MarketTable.from_table(_from_1990(), columns=columns, policy=MarketPolicy(missing="mask"))
    asset = table.assets[0]
    first = int(np.searchsorted(asset.ds, FIRST_REALISED))
    return replace(table, assets=(asset.part(first, len(asset)),))


def _from_1990() -> dict[str, list[str]]:
    """The rows from the first VIX on, as text; without those before, no covariate has a hole at its beginning."""
    columns = read_delimited(locate("sp500"), ",")
    begin = next(row for row, value in enumerate(columns["vix"]) if value != "NA")
    return {name: columns[name][begin:] for name in ("date", "return", "rv", "vix")}
