"""Stock market tables: prices or returns to daily log returns and variances, checked; and what is computed from them.

MarketTable.from_table   any table of prices (open, high, low, close) or of returns, one or several assets
path_terms, market_inputs   what a forecast may look at, from the last 22 rows
return_ahead, variance_ahead   what is forecast: the sum of the next returns, the mean of the next variances
"""

from recurra.data.market.columns import MarketColumns, MarketPolicy
from recurra.data.market.features import LOOKBACK, har_terms, input_names, market_inputs, path_terms
from recurra.data.market.ranges import garman_klass, parkinson, rogers_satchell, squared_return
from recurra.data.market.stock_splits import find_splits
from recurra.data.market.table import Asset, MarketTable
from recurra.data.market.targets import return_ahead, variance_ahead
from recurra.data.market.trading_days import CLOSED, Calendar, find_holes, next_trading_days

__all__ = [
    "CLOSED",
    "LOOKBACK",
    "Asset",
    "Calendar",
    "MarketColumns",
    "MarketPolicy",
    "MarketTable",
    "find_holes",
    "find_splits",
    "garman_klass",
    "har_terms",
    "input_names",
    "market_inputs",
    "next_trading_days",
    "parkinson",
    "path_terms",
    "return_ahead",
    "rogers_satchell",
    "squared_return",
    "variance_ahead",
]
