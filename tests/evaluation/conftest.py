"""Tables and forecasters for backtests."""

import numpy as np
import pytest

from recurra.data.forecasts import Forecasts
from recurra.data.frequency import Frequency
from recurra.data.series import SeriesTable

LEVELS = (0.1, 0.5, 0.9)


def make_table(series, start="2024-01-01", kind="pandas"):
    """Daily series by name; NaN = missing; each row's number as the covariate "row"."""
    lengths = [len(y) for y in series.values()]
    first = np.datetime64(start, "us")
    return SeriesTable(
        ids=tuple(series),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        ds=np.concatenate([first + np.arange(n) * np.timedelta64(1, "D") for n in lengths]),
        y=np.concatenate([np.asarray(y, dtype=np.float64) for y in series.values()]),
        covariates={"row": np.concatenate([np.arange(n, dtype=np.float64) for n in lengths])},
        frequency=Frequency.parse("D"),
        kind=kind,
    )


def constant_forecasts(history, horizon, centre, half=1.0):
    """Forecasts `centre` [series] for every step, with an interval of ± half."""
    point = np.repeat(np.asarray(centre, dtype=np.float64)[:, None], horizon, axis=1)
    return Forecasts(
        ids=history.ids,
        ds=history.future_ds(horizon),
        levels=LEVELS,
        quantiles=point[..., None] + np.array([-half, 0.0, half]),
        mean=point,
    )


@pytest.fixture
def walks(rng):
    """Three random walks of 90, 90 and 70 days that end on different days."""
    return make_table({name: 50 + np.cumsum(rng.normal(size=n)) for name, n in {"a": 90, "b": 90, "c": 90}.items()})


@pytest.fixture
def tools():
    """What the tests build with: make_table, constant_forecasts, LEVELS."""
    return make_table, constant_forecasts, LEVELS
