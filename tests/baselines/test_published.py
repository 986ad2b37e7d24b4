"""The rules on the CTA ridership against the published figures of Géron's notebook for chapter 15."""

import csv
import os
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from recurra.baselines import LinearWindow, SeasonalNaive, forecast_many
from recurra.data.frequency import Frequency
from recurra.data.series import SeriesTable
from recurra.metrics import mae

pytestmark = pytest.mark.skipif("RECURRA_DATA_DIR" not in os.environ, reason="RECURRA_DATA_DIR is not set: no CTA file")


@pytest.fixture(scope="module")
def rail():
    """Rail boardings per day from 2016-01-01 to 2019-05-31."""
    path = Path(os.environ["RECURRA_DATA_DIR"]) / "forecasting" / "cta_ridership.csv"
    with path.open(newline="") as file:
        by_day = {
            datetime.strptime(row["service_date"], "%m/%d/%Y").date(): float(row["rail_boardings"])
            for row in csv.DictReader(file)
        }
    days = [day for day in sorted(by_day) if date(2016, 1, 1) <= day <= date(2019, 5, 31)]
    ds = np.array(days, dtype="datetime64[us]")
    y = np.array([by_day[day] for day in days])
    return SeriesTable(("rail",), np.array([0, len(y)]), ds, y, {}, Frequency.parse("D"))


def one_step_mae(rule, rail, first):
    """MAE of one-step forecasts from `first` to the end, learned on 2016 to 2018."""
    start, trained = (int(np.searchsorted(rail.ds, np.datetime64(day, "us"))) for day in (first, "2019-01-01"))
    rule.fit(rail.truncate([trained]))
    forecasts = forecast_many(rule, rail, [np.array([end]) for end in range(start, len(rail))], 1, (0.5,))
    return mae(rail.y[start:], np.concatenate([one.median[0] for one in forecasts]))


def test_seven_days_before_gives_the_published_error(rail):
    """Published: 42,143 riders from March to May 2019."""
    assert round(one_step_mae(SeasonalNaive(7), rail, "2019-03-01")) == 42_143


def test_the_linear_map_is_no_straw_man(rail):
    """Published: 37,866 riders, for targets whose 56 days lie in the validation part too (from 2019-02-26).
    A rule to be compared with must be at least as good."""
    assert one_step_mae(LinearWindow(56), rail, "2019-02-26") < 37_866
