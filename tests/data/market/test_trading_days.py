"""Holes in trading days that weekends and holidays explain, and those that they do not."""

import numpy as np
import pytest

from recurra.data.market.trading_days import Calendar, common_holidays, easter, find_holes, long_gaps, missing_days

NOBODY = Calendar.of([])


def test_a_week_may_be_closed_and_eight_days_may_not():
    days = np.array(["2001-09-10", "2001-09-17", "2001-09-25"], "datetime64[us]")  # New York in September 2001
    assert long_gaps(days, 7).tolist() == [False, False, True]


def weekdays(*left_out: str, first: str = "2020-01-06", n: int = 300) -> np.ndarray:
    """Days of an asset that trades from Monday to Friday, but for some."""
    days = np.busday_offset(np.datetime64(first), np.arange(n))
    return days[~np.isin(days, np.array(left_out, "datetime64[D]"))].astype("datetime64[us]")


def test_two_expected_days_are_a_hole_and_one_is_a_holiday():
    """Four weekdays are left out, Monday to Thursday, as a review did; and elsewhere one Monday."""
    ds = weekdays("2020-05-25", "2020-05-26", "2020-05-27", "2020-05-28", "2020-07-06")
    holes = find_holes(ds, 7, NOBODY)
    assert ds[holes].astype("M8[D]").tolist() == [np.datetime64("2020-05-29").item()]
    assert missing_days(ds, 7, NOBODY)[holes].tolist() == [4]
    assert not find_holes(ds, 7, NOBODY, ("2020-05-25", "2020-05-26", "2020-05-27")).any()


def test_easter_christmas_and_new_york_are_no_holes():
    assert [int(day) for day in easter(np.array([2000, 2020, 2024]))] == [113, 102, 90]  # 23 April, 12 April, 31 March
    ds = weekdays("2020-04-10", "2020-04-13", "2020-12-24", "2020-12-25", "2020-12-28")
    assert not find_holes(ds, 7, NOBODY).any()
    september = weekdays("2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14", first="2001-06-04", n=100)
    assert not find_holes(september, 7, NOBODY).any()
    last = np.array(["2020-12-23", "2020-12-31", "2021-01-03", "2021-01-04"], "datetime64[D]").astype(np.int64)
    assert common_holidays(last).tolist() == [False, True, True, False]


def test_an_asset_is_held_to_its_own_week():
    """One that trades on Fridays alone misses none of the other days; one that trades every day misses two."""
    fridays = np.datetime64("2020-01-03") + 7 * np.arange(60)
    assert not find_holes(fridays, 7, NOBODY).any()
    daily = np.delete(np.datetime64("2020-01-03") + np.arange(60), [40, 41])
    assert np.flatnonzero(find_holes(daily, 7, NOBODY)).tolist() == [40]


def test_other_assets_tell_a_holiday_from_a_hole():
    """Three days in May that nobody traded are a holiday; Christmas week that the others traded is a hole."""
    week, may = ["2020-12-28", "2020-12-29", "2020-12-30"], ["2020-05-04", "2020-05-05", "2020-05-06"]
    one, other = weekdays(*may, *week), weekdays(*may)
    calendar = Calendar.of([one, other, other])
    holes = find_holes(one, 7, calendar.without(one))
    assert one[holes].astype("M8[D]").tolist() == [np.datetime64("2020-12-31").item()]
    assert not find_holes(other, 7, calendar.without(other)).any()


@pytest.mark.parametrize("cut", [30, 95, 200])
def test_holes_are_told_from_the_past(cut):
    ds = weekdays("2020-05-25", "2020-05-26", "2020-09-02", "2020-09-03")
    others = [weekdays("2020-05-25", n=150), weekdays(n=250)]
    whole = find_holes(ds, 7, Calendar.of(others))
    now = find_holes(ds[:cut], 7, Calendar.of([each[each <= ds[cut - 1]] for each in others]))
    np.testing.assert_array_equal(now, whole[:cut])
