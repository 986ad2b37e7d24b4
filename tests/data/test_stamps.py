"""Time stamps of every kind and spelling; expected dates are the obvious ones, or pandas' own parser's."""

from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.columns import Columns
from recurra.data.series import SeriesTable
from recurra.errors import TimeStampError

THREE = ["2024-01-05", "2024-01-06", "2024-01-07"]
ONE = Columns(None)


def read(stamps: Any, date_format: str | None = None, **options: Any) -> SeriesTable:
    source = {"ds": stamps, "y": [1.0] * len(stamps)}
    return SeriesTable.from_table(source, columns=Columns(None, date_format=date_format), **options)


def refused(stamps: list[Any], *parts: str, date_format: str | None = None) -> None:
    with pytest.raises(TimeStampError) as caught:
        read(stamps, date_format)
    for part in parts:
        assert part in str(caught.value), caught.value


@pytest.mark.parametrize(
    "stamps",
    [
        THREE,
        ["2024-01-05 00:00", "2024-01-06 00:00", "2024-01-07 00:00"],
        ["2024-01-05T00:00:00", "2024-01-06T00:00:00", "2024-01-07T00:00:00.000"],
        [" 2024-01-05", "2024-01-06 ", "2024-01-07"],
        ["2024/1/5", "2024/1/6", "2024/01/07"],
        ["2024.01.05", "2024.01.06", "2024.01.07"],
        ["5 Jan 2024", "6 January 2024", "7 jan 2024"],
        ["05-Jan-2024", "06-Jan-2024", "07-Jan-2024"],
        ["Jan 5, 2024", "January 6, 2024", "Jan 7 2024"],
        [date(2024, 1, 5), date(2024, 1, 6), date(2024, 1, 7)],
        [datetime(2024, 1, 5), datetime(2024, 1, 6), datetime(2024, 1, 7)],
        [np.datetime64(day) for day in THREE],
        np.array(THREE, "M8[h]"),
        pd.to_datetime(THREE),
    ],
)
def test_the_same_three_days(stamps: Any) -> None:
    table = read(stamps)
    assert table.ds.astype("M8[D]").astype(str).tolist() == THREE
    assert table.ds.dtype == np.dtype("M8[us]")
    assert table.time_zone is None


@pytest.mark.parametrize(
    ("stamps", "first", "code"),
    [
        (["2024-01", "2024-02", "2024-03"], "2024-01-01", "MS"),
        (["2024Q1", "2024Q2", "2024Q3"], "2024-01-01", "QS"),
        (["2024-Q2", "2024-Q3", "2024-Q4"], "2024-04-01", "QS"),
        (["Jan 2024", "Feb 2024", "March 2024"], "2024-01-01", "MS"),
        (["01/31/2024 1:30 PM", "01/31/2024 2:30 PM", "01/31/2024 3:30 PM"], "2024-01-31T13:30", "h"),
        (["31.01.2024 23:00", "01.02.2024 00:00", "01.02.2024 01:00"], "2024-01-31T23:00", "h"),
    ],
)
def test_other_spellings(stamps: list[str], first: str, code: str) -> None:
    table = read(stamps)
    assert table.ds[0] == np.datetime64(first)
    assert table.frequency.code == code


@pytest.mark.parametrize(
    ("stamps", "first"),
    [
        (["01/29/2001", "01/30/2001", "01/31/2001", "02/01/2001"], "2001-01-29"),
        (["29/01/2001", "30/01/2001", "31/01/2001", "01/02/2001"], "2001-01-29"),
        (["1-13-2001", "1-14-2001"], "2001-01-13"),
    ],
)
def test_one_row_settles_the_order_of_day_and_month(stamps: list[str], first: str) -> None:
    assert read(stamps).ds[0] == np.datetime64(first)


def test_an_order_that_nothing_settles_is_asked_for() -> None:
    stamps = ["01/01/2001", "01/02/2001", "01/03/2001"]
    refused(
        stamps,
        "row 2, column 'ds'",
        "'01/02/2001' may be day first",
        "date_format='%d/%m/%Y' or date_format='%m/%d/%Y'",
    )
    assert read(stamps, "%d/%m/%Y").frequency.code == "MS"
    assert read(stamps, "%m/%d/%Y").frequency.code == "D"


def test_dates_that_read_the_same_either_way_need_no_order() -> None:
    assert read(["01/01/2001", "02/02/2001"], freq="32D").ds[1] == np.datetime64("2001-02-02")


@given(st.lists(st.dates(date(1990, 1, 1), date(2030, 1, 1)), min_size=32, max_size=32, unique=True))
def test_numeric_dates_are_never_read_wrong(days: list[date]) -> None:
    """A column written month first is read as such, or refused where no day is above 12."""
    days = sorted(days)
    source = {"ds": [f"{day:%m/%d/%Y}" for day in days], "y": [1.0] * len(days), "unique_id": list(range(len(days)))}
    if all(day.day <= 12 for day in days):
        with pytest.raises(TimeStampError, match="date_format"):
            SeriesTable.from_table(source, freq="D")
    else:
        assert SeriesTable.from_table(source, freq="D").ds.astype("M8[D]").tolist() == days


@pytest.mark.parametrize(
    ("stamps", "parts"),
    [
        (["2024-01-05", "2024-01-32", "2024-01-07"], ("row 2", "'2024-01-32'")),
        (["2023-02-28", "2023-02-29"], ("row 2", "'2023-02-29' is not a date that exists")),
        (["2024-01-05", "soon", "2024-01-07"], ("row 2", "'soon'")),
        (["soon", "later"], ("row 1", "'soon' is not a date", "date_format=")),
        (["01/02/03", "01/03/03"], ("row 1", "four-digit year", "date_format=")),
        (["13/01/2024", "01/13/2024"], ("row", "exists, in the order of the other rows")),
        (["2024-01-05", None, "2024-01-07"], ("row 2", "missing")),
        (["2024-01-05", "", "2024-01-07"], ("row 2", "missing")),
        ([1.0, 2.5, 3.0], ("row 2", "2.5 is not a whole number")),
        ([1.0, np.nan, 3.0], ("row 2", "missing")),
        ([date(2024, 1, 5), "2024-01-06"], ("row 2", "is not a date")),
        (["2024-01-05T10:00", "2024-01-05T25:00"], ("row 2", "'2024-01-05T25:00'")),
        (["5 Foo 2024", "6 Foo 2024"], ("row 1", "names no month")),
        (["today", "now"], ("row 1", "'today'")),
        ([True, False], ("row 1", "True is not a date")),
        (["20240105", "20240106"], ("looks like a date", "date_format='%Y%m%d'")),
        ([20240105, 20240106], ("looks like a date", "freq='1'")),
    ],
)
def test_what_is_no_time_stamp_is_refused(stamps: list[Any], parts: tuple[str, ...]) -> None:
    refused(stamps, *parts)


def test_a_format_that_is_given() -> None:
    assert read(["20240105", "20240106", "20240107"], "%Y%m%d").ds.astype("M8[D]").astype(str).tolist() == THREE
    assert read([20240105, 20240106, 20240107], "%Y%m%d").ds.astype("M8[D]").astype(str).tolist() == THREE
    assert read(["05.01.24", "06.01.24", "07.01.24"], "%d.%m.%y").ds.astype("M8[D]").astype(str).tolist() == THREE
    zoned = read(["2024-01-05 +0100", "2024-01-06 +0100"], "%Y-%m-%d %z")
    assert zoned.time_zone == "+01:00"
    assert zoned.ds[0] == np.datetime64("2024-01-04T23:00")
    refused(["2024-01-05", "06.01.2024"], "row 2", "date_format='%Y-%m-%d'", date_format="%Y-%m-%d")
    refused(["2024-01-05 +0100", "2024-01-06 +0200"], "row 2", "time zone", date_format="%Y-%m-%d %z")


def test_numbers_that_look_like_dates_may_be_meant_as_numbers() -> None:
    assert read([20240105, 20240106], freq="1").ds.tolist() == [20240105, 20240106]


@pytest.mark.parametrize("stamps", [[1, 2, 3], ["1", "2", "3"], [1.0, 2.0, 3.0], np.array([1, 2, 3], np.uint8)])
def test_an_integer_index(stamps: Any) -> None:
    table = read(stamps)
    assert table.ds.tolist() == [1, 2, 3]
    assert table.ds.dtype == np.int64
    assert table.frequency.code == "1"


def test_finer_than_a_microsecond_is_refused() -> None:
    stamps = pd.DataFrame({"ds": np.array([0, 1001], "M8[ns]"), "y": [1.0, 2.0]})
    with pytest.raises(TimeStampError, match=r"row 2.*finer than a microsecond"):
        SeriesTable.from_table(stamps, columns=ONE)


ZONED = pd.date_range("2024-03-29", periods=5, freq="D", tz="Europe/Paris")


@pytest.mark.parametrize(
    "source",
    [
        pd.DataFrame({"ds": ZONED, "y": range(5)}),
        pd.DataFrame({"ds": pd.Series(list(ZONED.to_pydatetime()), dtype=object), "y": range(5)}),
        pl.DataFrame({"ds": ZONED.to_pydatetime().tolist(), "y": range(5)}),
        {"ds": list(ZONED), "y": range(5)},
    ],
)
def test_days_of_a_zone_are_utc_inside_and_days_outside(source: object) -> None:
    """Summer time in Paris began on 2024-03-31: midnight moves from 23:00 to 22:00 UTC."""
    table = SeriesTable.from_table(source, columns=ONE)
    assert table.time_zone == "Europe/Paris"
    assert table.frequency.code == "D@Europe/Paris"
    assert table.ds.astype("M8[h]").astype(str).tolist()[1:4] == ["2024-03-29T23", "2024-03-30T23", "2024-03-31T22"]
    assert table.future_ds(1)[0, 0] == np.datetime64("2024-04-02T22:00")
    np.testing.assert_array_equal(table.wall_ds, ZONED.tz_localize(None).to_numpy())


@pytest.mark.parametrize(
    ("suffix", "zone", "first"),
    [("Z", "UTC", "2024-01-05T10"), ("+00:00", "UTC", "2024-01-05T10"), (" UTC", "UTC", "2024-01-05T10"),
     ("+02:00", "+02:00", "2024-01-05T08"), ("-0330", "-03:30", "2024-01-05T13:30")],
)  # fmt: skip
def test_texts_with_an_offset(suffix: str, zone: str, first: str) -> None:
    table = read([f"2024-01-05T10:00:00{suffix}", f"2024-01-05T11:00:00{suffix}"])
    assert table.time_zone == zone
    assert table.ds[0] == np.datetime64(first)


@pytest.mark.parametrize(
    "stamps",
    [
        ["2024-01-05T10:00+01:00", "2024-01-05T11:00+02:00"],
        ["2024-01-05T10:00+01:00", "2024-01-05T11:00"],
        ["2024-01-05T10:00", "2024-01-05T11:00Z"],
        [datetime(2024, 1, 5), datetime(2024, 1, 6, tzinfo=timezone.utc)],
        [datetime(2024, 1, 5, tzinfo=ZoneInfo("Asia/Tokyo")), datetime(2024, 1, 6, tzinfo=ZoneInfo("Europe/Paris"))],
        [datetime(2024, 1, 5, tzinfo=timezone(timedelta(hours=1))), datetime(2024, 1, 6, tzinfo=timezone.utc)],
    ],
)
def test_mixed_time_zones_are_refused(stamps: list[Any]) -> None:
    refused(stamps, "row 2, column 'ds'", "time zone", "bring the column to one time zone")
