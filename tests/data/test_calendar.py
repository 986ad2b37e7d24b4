"""Calendar features: expected numbers come from Python's own calendar (datetime)."""

from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.calendar import (
    NAMES,
    calendar_categories,
    calendar_columns,
    calendar_features,
    calendar_size,
    default_calendar,
)
from recurra.data.frequency import Frequency
from recurra.errors import ConfigError, TimeStampError


@given(st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), min_size=1, max_size=5))
def test_categories_agree_with_datetime(moments: list[datetime]) -> None:
    found = calendar_categories(np.array(moments, "M8[us]"), NAMES)
    for row, m in zip(found, moments, strict=True):
        expected = [
            m.minute,
            m.hour,
            m.weekday(),
            m.day - 1,
            m.isocalendar().week - 1,
            m.timetuple().tm_yday - 1,
            m.month - 1,
        ]
        assert row.tolist() == expected
        assert all(0 <= code < calendar_size(name) for code, name in zip(row, NAMES, strict=True))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))
def test_every_pair_lies_on_the_circle(moment: datetime) -> None:
    pairs = calendar_features(np.array(moment, "M8[us]"), NAMES).reshape(-1, 2)
    np.testing.assert_allclose((pairs**2).sum(1), 1, rtol=1e-12)


def test_places_on_the_circle() -> None:
    """06:00 is a quarter of the day, Thursday 3/7 of the week, 1 July 2023 day 181 of 365."""
    features = calendar_features(np.array(["2024-02-01T06:00"], "M8[us]"), ("hour", "weekday", "month", "monthday"))[0]
    angles = 2 * np.pi * np.array([0.25, 3 / 7, 1 / 12, 0])
    np.testing.assert_allclose(features, np.stack([np.sin(angles), np.cos(angles)], 1).reshape(-1), atol=1e-12)
    year = 2 * np.pi * (date(2023, 7, 1).timetuple().tm_yday - 1) / 365
    np.testing.assert_allclose(calendar_features(np.datetime64("2023-07-01"), ("yearday_sin",)), [np.sin(year)])


def test_shapes_and_names() -> None:
    ds = np.zeros((2, 3), "M8[us]")
    assert calendar_features(ds, ("hour", "weekday_cos")).shape == (2, 3, 3)
    assert calendar_categories(ds, ("week",)).shape == (2, 3, 1)
    assert calendar_features(ds, ()).shape == (2, 3, 0)
    assert calendar_categories(ds, ()).shape == (2, 3, 0)
    assert calendar_columns(("month",)) == ("month_sin", "month_cos")


def test_the_clock_of_the_zone_counts() -> None:
    """23:00 UTC on 30 June is 01:00 on 1 July in Paris."""
    stamp = np.array(["2024-06-30T23:00"], "M8[us]")
    assert calendar_categories(stamp, ("hour", "month"), time_zone="Europe/Paris").tolist() == [[1, 6]]


DAYTIME = ("hour", "weekday", "yearday")
DAILY = ("weekday", "yearday")


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("h", DAYTIME),
        ("15min", DAYTIME),
        ("D", DAILY),
        ("B", DAILY),
        ("W-SUN", ("yearday",)),
        ("MS", ("month",)),
        ("QE", ("month",)),
        ("YE", ()),
        ("1", ()),
    ],
)
def test_defaults_make_sense_at_the_frequency(code: str, names: tuple[str, ...]) -> None:
    assert default_calendar(Frequency.parse(code)) == names


def test_what_is_refused() -> None:
    with pytest.raises(ConfigError, match="'moon'"):
        calendar_features(np.zeros(1, "M8[us]"), ("moon",))
    with pytest.raises(ConfigError, match="'hour_sin'"):
        calendar_categories(np.zeros(1, "M8[us]"), ("hour_sin",))
    with pytest.raises(TimeStampError, match="integer time stamps have no calendar"):
        calendar_features(np.arange(3), ("hour",))
