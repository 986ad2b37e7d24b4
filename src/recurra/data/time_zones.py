"""Between UTC and the clock on the wall, for whole arrays of time stamps."""

import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from recurra.errors import TimeStampError

Stamps = npt.NDArray[np.datetime64]

_DAY_S = 86_400
_FIXED_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})", re.IGNORECASE)


@lru_cache(maxsize=64)
def zone_info(name: str) -> tzinfo:
    """The rules of a time zone.

    Args:
        name: an IANA name ("Europe/Paris"), "UTC" or "Z", or a fixed offset ("+02:00", "UTC+02:00").

    Raises:
        TimeStampError: if this machine does not know the zone.
    """
    if name.upper() in {"UTC", "Z"}:
        return timezone.utc
    fixed = _FIXED_OFFSET.fullmatch(name)
    if fixed:
        sign = -1 if fixed[1] == "-" else 1
        return timezone(sign * timedelta(hours=int(fixed[2]), minutes=int(fixed[3])))
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise TimeStampError(
            f"time zone {name!r} is not known on this machine; use an IANA name such as 'Europe/Paris', "
            "or install the package tzdata"
        ) from error


def to_wall(ds: Stamps, zone: str | None) -> Stamps:
    """What a clock in `zone` shows at the UTC stamps `ds`; any shape; `zone=None` changes nothing."""
    return ds if zone is None else ds + _offset(ds, zone)


def to_utc(wall: Stamps, zone: str | None) -> Stamps:
    """The UTC stamps at which a clock in `zone` shows `wall`.

    An hour that comes twice (end of summer time) means its first coming; one that never comes (start of
    summer time) is moved forward by the gap, as `datetime` does with fold=0.
    """
    if zone is None:
        return wall
    day = np.timedelta64(_DAY_S, "s")
    early, late = wall - _offset(wall - day, zone), wall - _offset(wall + day, zone)
    use_late = (to_wall(early, zone) != wall) & (to_wall(late, zone) == wall)
    return np.where(use_late, late, early)


def _offset(utc: Stamps, zone: str) -> npt.NDArray[np.timedelta64]:
    """Wall clock minus UTC at each UTC stamp."""
    info = zone_info(zone)
    if isinstance(info, timezone):
        offset = info.utcoffset(None)
        return np.full(utc.shape, np.timedelta64(offset, "us"))
    known = utc[~np.isnat(utc)]
    if known.size == 0:
        return np.zeros(utc.shape, "timedelta64[us]")
    years = (
        known.min().astype("datetime64[Y]").astype(int) + 1970,
        known.max().astype("datetime64[Y]").astype(int) + 1970,
    )
    tables = [_transitions(zone, year) for year in range(int(years[0]), int(years[1]) + 1)]
    starts = np.concatenate([starts for starts, _ in tables])
    offsets = np.concatenate([offsets for _, offsets in tables])
    place = np.searchsorted(starts, utc.astype("datetime64[s]").astype(np.int64), side="right") - 1
    return offsets[np.maximum(place, 0)].astype("timedelta64[s]").astype("timedelta64[us]")


@lru_cache(maxsize=4096)
def _transitions(zone: str, year: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The moments of one year (UTC seconds) from which an offset (seconds) holds, the first of January first."""
    if not 1 < year < 9999:
        raise TimeStampError(f"time zone {zone!r} has no rules for the year {year}; use years 2 to 9998")
    info = zone_info(zone)
    begin = int(datetime(year, 1, 1, tzinfo=timezone.utc).timestamp())
    end = int(datetime(year + 1, 1, 1, tzinfo=timezone.utc).timestamp())
    starts, offsets = [begin], [_offset_at(begin, info)]
    for low in range(begin, end, _DAY_S):
        high = low + _DAY_S
        if high >= end:
            high = end - 1
        if _offset_at(high, info) != offsets[-1]:
            moment = _first_change(low, high, info)
            starts.append(moment)
            offsets.append(_offset_at(moment, info))
    return np.array(starts, np.int64), np.array(offsets, np.int64)


def _first_change(low: int, high: int, info: tzinfo) -> int:
    """The first second in (low, high] at which the offset differs from that at `low`."""
    before = _offset_at(low, info)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_at(middle, info) == before:
            low = middle
        else:
            high = middle
    return high


def _offset_at(second: int, info: tzinfo) -> int:
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=second)
    offset = moment.astimezone(info).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
