"""Bytes to tables to windows: readers, series, splits, scaling, calendar, windows, catalogue; numpy only.

SeriesTable.from_table   any table, checked: sorted, unique, regular series of known frequency
Frequency                how far one stamp lies from the next
Forecasts                what every forecaster answers with
SeriesScaler             shift and scale per series, fixed at fit
WindowIndex              training windows; split_by_time and rolling_origins: cuts by time
recurra.data.catalogue   the benchmark data sets
"""

from recurra.data.calendar import calendar_categories, calendar_columns, calendar_features, default_calendar
from recurra.data.categories import Vocabulary
from recurra.data.columns import Columns, TablePolicy
from recurra.data.forecasts import Forecasts, quantile_name
from recurra.data.frames import to_native
from recurra.data.frequency import Frequency
from recurra.data.readers import read_table
from recurra.data.scaling import SeriesScaler
from recurra.data.series import Series, SeriesTable
from recurra.data.splits import Split, rolling_origins, split_by_time
from recurra.data.windows import WindowIndex, future_targets

__all__ = [
    "Columns",
    "Forecasts",
    "Frequency",
    "Series",
    "SeriesScaler",
    "SeriesTable",
    "Split",
    "TablePolicy",
    "Vocabulary",
    "WindowIndex",
    "calendar_categories",
    "calendar_columns",
    "calendar_features",
    "default_calendar",
    "future_targets",
    "quantile_name",
    "read_table",
    "rolling_origins",
    "split_by_time",
    "to_native",
]
