"""Frequencies: codes, steps, seasons, inference; expected stamps come from pandas' date_range or from a calendar."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.frequency import Frequency, as_stamps, show_stamp
from recurra.errors import ConfigError, TimeStampError

CODES = (
    "D",
    "B",
    "W",
    "W-SUN",
    "W-WED",
    "2W-SAT",
    "h",
    "6h",
    "15min",
    "90min",
    "s",
    "10s",
    "ms",
    "us",
    "MS",
    "ME",
    "2MS",
    "QS",
    "QE",
    "QS-FEB",
    "QE-NOV",
    "YS",
    "YE",
    "YS-APR",
    "YE-JUN",
    "2YE",
    "3D",
    "1",
    "7",
    "M-15",
    "12M-4",
    "2B",
    "D@Europe/Paris",
    "ME@America/New_York",
    "B@Asia/Tokyo",
    "W-MON@+05:30",
)
OF_PANDAS = (
    "D",
    "B",
    "W-SUN",
    "2W-SAT",
    "h",
    "6h",
    "15min",
    "s",
    "ms",
    "MS",
    "ME",
    "QS",
    "QE",
    "QS-FEB",
    "QE-NOV",
    "YS",
    "YE",
    "YS-APR",
    "YE-JUN",
    "3D",
    "2MS",
    "us",
)


def utc(stamps: pd.DatetimeIndex) -> np.ndarray:
    naive = stamps if stamps.tz is None else stamps.tz_convert("UTC").tz_localize(None)
    return naive.to_numpy()


@pytest.mark.parametrize("code", CODES)
def test_a_code_reads_back_as_itself(code: str) -> None:
    frequency = Frequency.parse(code)
    assert Frequency.parse(frequency.code) == frequency
    assert Frequency.parse(frequency.code).code == frequency.code


UNITS = ("us", "ms", "s", "min", "h", "D", "W", "B", "MS", "ME", "QS", "YE", "")


@given(count=st.integers(1, 10_000), unit=st.sampled_from(UNITS))
def test_any_count_reads_back_as_itself(count: int, unit: str) -> None:
    frequency = Frequency.parse(f"{count}{unit}")
    assert Frequency.parse(frequency.code) == frequency


@pytest.mark.parametrize(
    ("older", "code"),
    [
        ("H", "h"),
        ("T", "min"),
        ("15T", "15min"),
        ("S", "s"),
        ("M", "ME"),
        ("Q", "QE"),
        ("A", "YE"),
        ("60min", "h"),
        ("24h", "D"),
        ("7D", "W"),
        ("3MS", "QS"),
        ("12ME", "YE"),
        ("D@UTC", "D@UTC"),
        ("h@Europe/Paris", "h"),
        ("QS-OCT", "QS-JAN"),
    ],
)
def test_other_spellings_of_the_same_step(older: str, code: str) -> None:
    assert Frequency.parse(older).code == code


@pytest.mark.parametrize(
    "code", ["", "X", "0D", "-D", "D-SUN", "1.5h", "BMS", "1@UTC", "W-XYZ", "M-31", "D ay", "00", "M-1"]
)
def test_an_unknown_code_is_refused(code: str) -> None:
    with pytest.raises(ConfigError, match="unknown frequency"):
        Frequency.parse(code)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(TimeStampError, match="Mars/Olympus"):
        Frequency.parse("D@Mars/Olympus")


@pytest.mark.parametrize(
    ("code", "season"),
    [
        ("h", 24),
        ("D", 7),
        ("B", 5),
        ("W", 52),
        ("MS", 12),
        ("ME", 12),
        ("QE", 4),
        ("YE", 1),
        ("15min", 96),
        ("min", 1440),
        ("s", 3600),
        ("2h", 12),
        ("5h", 1),
        ("2W", 26),
        ("3D", 1),
        ("1", 1),
        ("2MS", 6),
        ("ms", 1),
        ("6h", 4),
    ],
)
def test_the_season_is_the_day_week_or_year_that_comes_next(code: str, season: int) -> None:
    assert Frequency.parse(code).season == season


@pytest.mark.parametrize("code", OF_PANDAS)
def test_steps_and_inference_agree_with_pandas(code: str) -> None:
    """Expected: pandas.date_range, an independent implementation."""
    stamps = pd.date_range("2019-01-03 00:00", periods=60, freq=code).to_numpy()
    frequency = Frequency.parse(code)
    np.testing.assert_array_equal(frequency.steps_after(stamps[0], 59), stamps[1:].astype("datetime64[us]"))
    assert Frequency.infer(stamps).code == code
    assert frequency.is_next(stamps[:-1], stamps[1:]).all()
    assert frequency.on_grid(stamps).all()
    assert np.diff(frequency.position(stamps)).tolist() == [1] * 59 or frequency.step > 1
    np.testing.assert_array_equal(frequency.shift(stamps[30:], -30), stamps[:30].astype("datetime64[us]"))


@given(
    start=st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2050, 1, 1)),
    code=st.sampled_from([c for c in CODES if "@" not in c and c not in ("1", "7", "us", "ms", "s", "10s")]),
    n=st.integers(8, 40),
)
def test_inference_explains_the_stamps_that_steps_after_makes(start: object, code: str, n: int) -> None:
    """The inferred frequency may be named otherwise (a single weekday run), but it must make the same stamps."""
    frequency = Frequency.parse(code)
    days = as_stamps(np.array(start, "datetime64[us]")) + np.arange(1500) * np.timedelta64(1, "D")
    first = days[np.argmax(frequency.on_grid(days))]
    stamps = np.concatenate([[first], frequency.steps_after(first, n)])
    inferred = Frequency.infer(stamps)
    np.testing.assert_array_equal(inferred.steps_after(stamps[0], n), stamps[1:])
    assert inferred.steps_between(stamps[0], stamps[-1]) == n
    assert inferred.steps_between(stamps[-1], stamps[0]) == -n


def test_an_integer_index() -> None:
    assert Frequency.infer([3, 5, 7]).code == "2"
    assert Frequency.parse("2").steps_after([3, 10], 3).tolist() == [[5, 7, 9], [12, 14, 16]]
    assert Frequency.parse("2").steps_between(3, 9) == 3


def test_five_weekdays_are_daily_and_a_week_more_is_business() -> None:
    days = pd.date_range("2024-01-01", periods=12, freq="B").to_numpy()
    assert Frequency.infer(days[:5]).code == "D"
    assert Frequency.infer(days).code == "B"
    friday = np.datetime64("2024-01-05")
    following = Frequency.parse("B").steps_after(friday, 2).astype("M8[D]")
    assert following.astype(str).tolist() == ["2024-01-08", "2024-01-09"]


def test_two_month_ends_are_monthly_not_29_days() -> None:
    assert Frequency.infer(np.array(["2024-01-31", "2024-02-29"], "M8[D]")).code == "ME"
    assert Frequency.infer(np.array(["2024-01-15", "2024-02-15"], "M8[D]")).code == "M-15"


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_a_day_of_a_zone_with_summer_time_is_a_day(zone: str) -> None:
    """Expected: pandas.date_range in the zone."""
    days = utc(pd.date_range("2024-01-01", periods=366, freq="D", tz=zone))
    frequency = Frequency.infer(days, zone=zone)
    assert frequency.code == f"D@{zone}"
    np.testing.assert_array_equal(frequency.steps_after(days[0], 365), days[1:].astype("datetime64[us]"))


def test_hours_of_a_zone_with_summer_time_are_hours() -> None:
    hours = utc(pd.date_range("2024-03-30", periods=72, freq="h", tz="Europe/Paris"))
    assert Frequency.infer(hours, zone="Europe/Paris").code == "h"


def test_a_midnight_that_summer_time_skips() -> None:
    """In Sao Paulo 2018-11-04 began at 01:00."""
    days = pd.date_range("2018-11-01", periods=8, freq="D")
    days = utc(days.tz_localize("America/Sao_Paulo", nonexistent="shift_forward"))
    frequency = Frequency.infer(days, zone="America/Sao_Paulo")
    assert frequency.code == "D@America/Sao_Paulo"
    assert frequency.is_next(days[:-1], days[1:]).all()


def test_stamps_at_midnight_utc_in_a_zone_are_daily_in_utc() -> None:
    days = np.arange("2024-03-01", "2024-04-15", dtype="M8[D]")
    assert Frequency.infer(days, zone="Europe/Paris").code == "D@UTC"


@pytest.mark.parametrize(
    ("stamps", "row", "remedy"),
    [
        (["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-06"], "row 4", "freq='D' with gaps='fill'"),
        (["2024-01-31", "2024-02-29", "2024-04-30", "2024-05-31"], "row 3", "freq='ME' with gaps='fill'"),
        (["2024-01-01T00", "2024-01-01T01", "2024-01-01T01:30", "2024-01-01T02:30"], "row 3", "freq='D' or the like"),
    ],
)
def test_irregular_stamps_name_the_first_odd_row_and_the_remedy(stamps: list[str], row: str, remedy: str) -> None:
    with pytest.raises(TimeStampError, match=row) as caught:
        Frequency.infer(np.array(stamps, "M8[us]"))
    assert remedy in str(caught.value)


@pytest.mark.parametrize("stamps", [[], ["2024-01-01"]])
def test_less_than_two_rows_ask_for_freq(stamps: list[str]) -> None:
    with pytest.raises(TimeStampError, match="freq="):
        Frequency.infer(np.array(stamps, "M8[D]"))


def test_dates_and_numbers_are_not_mixed() -> None:
    with pytest.raises(TimeStampError, match="needs dates"):
        Frequency.parse("D").steps_after(3, 1)
    with pytest.raises(TimeStampError, match="needs an integer index"):
        Frequency.parse("1").steps_after(np.datetime64("2024-01-01"), 1)
    with pytest.raises(TimeStampError, match="not float64"):
        as_stamps([1.5])


def test_a_stamp_between_two_steps_is_refused() -> None:
    with pytest.raises(TimeStampError, match="2024-01-01 12:00 is not a whole number of steps of 'D'"):
        Frequency.parse("D").steps_between(np.datetime64("2024-01-01"), np.datetime64("2024-01-01T12:00"))


def test_a_stamp_is_shown_as_people_write_it() -> None:
    assert show_stamp(np.datetime64("2024-01-01")) == "2024-01-01"
    assert show_stamp(np.datetime64("2024-01-01T05:30")) == "2024-01-01 05:30"
    assert show_stamp(np.datetime64("2024-06-30T22:00"), "Europe/Paris") == "2024-07-01"
    assert show_stamp(7) == "7"
