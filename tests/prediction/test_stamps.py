"""Single time stamps: every way to write one instant gives one number, and clocks do not mix."""

from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from recurra.errors import TimeStampError
from recurra.prediction.stamps import parse_stamp

NOON = np.datetime64("2024-01-31T12:00", "us")


@pytest.mark.parametrize(
    "value",
    ["2024-01-31T12:00", "2024-01-31 12:00:00", datetime(2024, 1, 31, 12), pd.Timestamp("2024-01-31 12:00"), NOON,
     np.datetime64("2024-01-31T12", "h")],
)  # fmt: skip
def test_one_time_written_in_many_ways(value):
    assert parse_stamp(value, "row 1") == NOON


@pytest.mark.parametrize(
    "value",
    ["2024-01-31T12:00Z", "2024-01-31T13:00+01:00", datetime(2024, 1, 31, 14, tzinfo=timezone(timedelta(hours=2))),
     pd.Timestamp("2024-01-31 13:00", tz="Europe/Berlin")],
)  # fmt: skip
def test_one_instant_in_many_zones(value):
    assert parse_stamp(value, "row 1", None, "Europe/Berlin") == NOON
    with pytest.raises(TimeStampError, match="row 1: the model's time stamps have no time zone"):
        parse_stamp(value, "row 1")


def test_dates_and_formats():
    day = np.datetime64("2024-01-31", "us")
    assert parse_stamp(date(2024, 1, 31), "row 1") == day
    assert parse_stamp("31.01.2024", "row 1", "%d.%m.%Y") == day
    with pytest.raises(TimeStampError, match=r"row 3: '2024-01-31' is not a date; write it as %d"):
        parse_stamp("2024-01-31", "row 3", "%d.%m.%Y")


@pytest.mark.parametrize("value", ["soon", "", None, 5, 3.5, pd.NaT, np.datetime64("NaT"), True])
def test_what_is_no_date_is_refused(value):
    with pytest.raises(TimeStampError, match=r"row 1, column 'ds': .* is not a date; write it as 2024-01-31"):
        parse_stamp(value, "row 1, column 'ds'")


def test_nanoseconds_are_refused_and_not_dropped():
    with pytest.raises(TimeStampError, match="finer than a microsecond"):
        parse_stamp(pd.Timestamp(1), "row 1")


def test_a_time_without_a_zone_is_refused_where_the_model_has_one():
    with pytest.raises(TimeStampError, match=r"in time zone UTC and this one has no zone; write it with its offset"):
        parse_stamp("2024-01-31", "row 1", None, "UTC")
