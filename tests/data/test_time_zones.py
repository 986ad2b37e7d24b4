"""Wall clocks: expected values come from Python's own zoneinfo, one stamp at a time."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.time_zones import to_utc, to_wall, zone_info
from recurra.errors import TimeStampError

ZONES = (
    "Europe/Paris",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Tokyo",
    "Africa/Casablanca",
)


@given(
    zone=st.sampled_from(ZONES),
    moments=st.lists(st.datetimes(datetime(1960, 1, 1), datetime(2037, 1, 1)), min_size=1, max_size=8),
)
def test_wall_and_back_agree_with_zoneinfo(zone: str, moments: list[datetime]) -> None:
    moments = [moment.replace(microsecond=0) for moment in moments]
    info = ZoneInfo(zone)
    wall = [m.replace(tzinfo=timezone.utc).astimezone(info).replace(tzinfo=None) for m in moments]
    np.testing.assert_array_equal(to_wall(np.array(moments, "M8[us]"), zone), np.array(wall, "M8[us]"))
    back = [m.replace(tzinfo=info).astimezone(timezone.utc).replace(tzinfo=None) for m in moments]
    np.testing.assert_array_equal(to_utc(np.array(moments, "M8[us]"), zone), np.array(back, "M8[us]"))


def test_the_second_at_which_the_clock_changes() -> None:
    """Summer time in Paris began on 2024-03-31 at 01:00:00 UTC."""
    utc = np.array(["2024-03-31T00:59:59", "2024-03-31T01:00:00"], "M8[us]")
    assert to_wall(utc, "Europe/Paris").astype(str).tolist() == [
        "2024-03-31T01:59:59.000000",
        "2024-03-31T03:00:00.000000",
    ]


def test_fixed_offsets_utc_and_none() -> None:
    noon = np.array(["2024-01-01T12:00"], "M8[us]")
    assert to_wall(noon, "+05:30")[0] == np.datetime64("2024-01-01T17:30")
    assert to_utc(noon, "UTC-03:00")[0] == np.datetime64("2024-01-01T15:00")
    assert to_wall(noon, "UTC")[0] == noon[0]
    assert to_wall(noon, None) is noon
    assert zone_info("+02:00").utcoffset(None) == timedelta(hours=2)


def test_what_no_zone_can_answer_is_refused() -> None:
    with pytest.raises(TimeStampError, match="tzdata"):
        zone_info("Nowhere/Land")
    with pytest.raises(TimeStampError, match="year"):
        to_wall(np.array(["20000-01-01"], "M8[us]"), "Europe/Paris")
