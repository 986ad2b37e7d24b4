"""The frequency of a series: how far one time stamp lies from the next."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from recurra.data import _steps
from recurra.data.time_zones import to_utc, to_wall, zone_info
from recurra.errors import ConfigError, TimeStampError

Stamps = _steps.Stamps
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WEEKDAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAY_US: Final = 86_400_000_000
IRREGULAR: Final = "irregular"

_FIXED_US: Final = {
    "W": 7 * DAY_US, "D": DAY_US, "h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1,
}  # fmt: skip
_OLDER_NAMES: Final = {
    "H": "h", "T": "min", "S": "s", "L": "ms", "U": "us", "d": "D", "w": "W", "b": "B",
    "M": "ME", "Q": "QE", "Y": "YE", "A": "YE", "AS": "YS",
}  # fmt: skip
_MONTHS_IN: Final = {"M": 1, "Q": 3, "Y": 12}
_CODE: Final = re.compile(r"(\d+)?\s*([A-Za-z]+)?(?:-([A-Za-z]{3}|\d{1,2}))?(?:@(\S+))?")


@dataclass(frozen=True)
class Frequency:
    """How far one time stamp of a series lies from the next; made by `parse` or `infer`.

    Guarantees: `Frequency.parse(f.code) == f`. Stamps are datetime64 (any unit; answered in microseconds), or
    integers for an index frequency such as "1".

    Daily and coarser steps with a `zone` are steps of the clock on the wall in that zone, while stamps are UTC:
    midnight to midnight is one day also where it lasts 23 hours. Hours and finer never depend on a zone.

    Attributes:
        unit: "fixed" (microseconds), "business" (Monday to Friday, no holidays), "months" or "index".
        step: size of a step in that unit.
        day: for months, the day of the month: 1, 2 ... 28, or -1 for the last one.
        anchor: weekday (0 Monday) of weekly stamps or month (1 January) of quarters and years; None for any.
        zone: time zone whose wall clock the steps follow, or None.
        irregular: whether rows come at any time: then each row is one step after the one before, whatever lies between
            them, and `step` is the gap that forecasts are dated by.
    """

    unit: _steps.Unit
    step: int
    day: int = 0
    anchor: int | None = None
    zone: str | None = None
    irregular: bool = False

    @classmethod
    def parse(cls, code: str) -> "Frequency":
        """Read a code.

        Args:
            code: `[count]unit[-anchor][@zone]`: "us", "ms", "s", "min", "h", "D", "B" (business days), "W" or "W-SUN",
                "MS"/"ME" (month start, end), "M-15" (15th of each month), "QS"/"QE", "YS"/"YE" (also "QE-NOV",
                "YS-APR"), or a bare number for an integer index. The older pandas names "H", "T", "M" ... also. Rows at
                any time are "irregular", or "irregular:90min", "irregular:3" with the gap that forecasts are dated by.

        Raises:
            ConfigError: if the code means nothing, or its count is 0.
        """
        if not isinstance(code, str):
            raise _unknown(code)
        return cls._parsed(code)

    @classmethod
    @lru_cache(maxsize=256)
    def _parsed(cls, code: str) -> "Frequency":
        if code.strip().partition(":")[0] == IRREGULAR:
            gap = cls.parse(code.strip().partition(":")[2] or "us")
            if gap.unit not in ("fixed", "index") or gap.zone or gap.irregular:
                raise ConfigError(f"freq={code!r}: the gap must be of fixed size; write it as 'irregular:90min'")
            return replace(gap, anchor=None, irregular=True)
        found = _CODE.fullmatch(code.strip())
        if not found or not (found[1] or found[2]) or (found[1] is not None and int(found[1]) == 0):
            raise _unknown(code)
        count = int(found[1] or 1)
        name, anchor, zone = found[2], found[3], found[4]
        if name is None:
            if anchor or zone:
                raise _unknown(code)
            return cls("index", count)
        if not (name == "M" and anchor is not None and anchor.isdigit()):
            name = _OLDER_NAMES.get(name, name)
        plain = _parse_plain(cls, name, count, anchor)
        if plain is None:
            raise _unknown(code)
        if zone is not None:
            zone_info(zone)
        return plain.in_zone(zone)

    @classmethod
    def infer(cls, ds: npt.ArrayLike, *, zone: str | None = None) -> "Frequency":
        """The frequency of one series, from its stamps alone.

        Stamps at month starts or ends, or on one day of the month, give months, quarters or years; a constant step
        gives that step (five days Monday to Friday are daily: nothing says otherwise); weekdays with only the
        weekends left out give business days.

        Args:
            ds: strictly increasing stamps of one series, UTC if `zone` is given.
            zone: time zone of the wall clock that daily and coarser steps follow.

        Raises:
            TimeStampError: if no frequency fits; names the first irregular row and the remedy.
        """
        from recurra.data._inference import infer_frequency

        stamps = as_stamps(ds)
        return infer_frequency(stamps, np.array([0, len(stamps)]), zone=zone)

    @property
    def code(self) -> str:
        """The code that `parse` reads back."""
        if self.irregular:
            return f"{IRREGULAR}:{replace(self, irregular=False).code}"
        zone = f"@{self.zone}" if self.zone else ""
        if self.unit == "index":
            return str(self.step)
        if self.unit == "business":
            return _counted(self.step, "B") + zone
        if self.unit == "fixed":
            name = next(name for name, size in _FIXED_US.items() if self.step % size == 0)
            anchor = f"-{WEEKDAYS[self.anchor]}" if self.anchor is not None else ""
            return _counted(self.step // _FIXED_US[name], name) + anchor + zone
        if self.day > 1:
            return f"{_counted(self.step, 'M')}-{self.day}{zone}"
        letter = next(letter for letter in "YQM" if self.step % _MONTHS_IN[letter] == 0)
        anchor = f"-{MONTHS[self.anchor - 1]}" if self.anchor is not None else ""
        name = letter + ("S" if self.day == 1 else "E")
        return _counted(self.step // _MONTHS_IN[letter], name) + anchor + zone

    @property
    def season(self) -> int:
        """Default length of a season in steps: the hour, day, week or year that comes next; 1 if there is none."""
        if self.irregular:
            return 1
        if self.unit == "months":
            whole = 12
        elif self.unit == "business":
            whole = 5
        elif self.unit == "index":
            return 1
        elif self.step >= 7 * DAY_US:
            return max(52 * 7 * DAY_US // self.step, 1) if 52 * 7 * DAY_US % self.step == 0 else 1
        elif self.step >= DAY_US:
            whole = 7 * DAY_US
        else:
            whole = DAY_US if self.step >= _FIXED_US["min"] else _FIXED_US["h"] if self.step >= _FIXED_US["s"] else 1
        return whole // self.step if whole % self.step == 0 else 1

    @property
    def is_index(self) -> bool:
        """Whether stamps are integers instead of dates."""
        return self.unit == "index"

    @property
    def follows_wall_clock(self) -> bool:
        """Whether a step is a day or more, so that a change to summer time does not alter the stamps on the wall."""
        if self.irregular:
            return False
        return self.unit in ("business", "months") or (self.unit == "fixed" and self.step % DAY_US == 0)

    def in_zone(self, zone: str | None) -> "Frequency":
        """The same frequency on the wall clock of `zone`; hours and finer, and an index, stay as they are."""
        return replace(self, zone=zone if self.follows_wall_clock else None)

    def steps_after(self, last: npt.ArrayLike, n: int) -> Stamps:
        """The next `n` stamps after each of `last`: [n] for one stamp, [N, n] for an array [N].

        Raises:
            TimeStampError: if `last` holds dates and this is an index frequency, or the other way round.
        """
        return self.shift(self._checked(last)[..., None], np.arange(1, n + 1))

    def shift(self, ds: npt.ArrayLike, n: npt.ArrayLike) -> Stamps:
        """The stamps `n` steps after `ds` (before, where n is negative); `ds` and `n` broadcast."""
        stamps, steps = self._checked(ds), np.asarray(n, np.int64)
        if self.zone is None or self.unit == "index":
            return _steps.shift(stamps, steps, self.unit, self.step, self.day)
        wall = to_wall(stamps.astype("datetime64[us]"), self.zone)
        return to_utc(_steps.shift(wall, steps, self.unit, self.step, self.day).astype("datetime64[us]"), self.zone)

    def position(self, ds: npt.ArrayLike) -> Ints:
        """The number of the step that each stamp lies in, counted from 1970-01-01 (index: from 0)."""
        return _steps.position(self._wall(ds), self.unit, self.step)

    def count(self, a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[Ints, Bools]:
        """Whole steps from each `a` to each `b`, and whether `b` lies exactly on a step; the two broadcast.

        For irregular rows: 1, 0 or -1, as `b` comes after, with or before `a`.
        """
        if self.irregular:
            steps = np.sign((self._checked(b) - self._checked(a)).astype(np.int64))
            return steps, np.ones(steps.shape, bool)
        wall_a, wall_b = self._wall(a), self._wall(b)
        steps, exact = _steps.count(wall_a, wall_b, self.unit, self.step, self.day)
        if self.zone is None or np.all(exact):
            return steps, exact
        # A midnight that a change of the clocks skips shows as 01:00: count from the later stamp back as well.
        nearest, _ = _steps.count(wall_a, wall_b + np.timedelta64(2, "h"), self.unit, self.step, self.day)
        lands = (self.shift(a, nearest) == as_stamps(b)) | (self.shift(b, -nearest) == as_stamps(a))
        return np.where(lands, nearest, steps), np.asarray(exact | lands)

    def is_next(self, a: npt.ArrayLike, b: npt.ArrayLike) -> Bools:
        """Whether each `b` lies exactly one step after `a`."""
        steps, exact = self.count(a, b)
        return np.asarray(exact & (steps == 1))

    def steps_between(self, a: npt.ArrayLike, b: npt.ArrayLike) -> int:
        """Steps from stamp `a` to stamp `b`; negative if `b` comes first.

        Raises:
            TimeStampError: if `b` lies between two steps counted from `a`.
        """
        steps, exact = self.count(a, b)
        if not np.all(exact):
            raise TimeStampError(
                f"{show_stamp(b, self.zone)} is not a whole number of steps of {self.code!r} away from "
                f"{show_stamp(a, self.zone)}; correct the time stamp"
            )
        return int(steps)

    def on_grid(self, ds: npt.ArrayLike) -> Bools:
        """Whether each stamp can occur at this frequency: a weekday, a month end, the anchored weekday or month."""
        wall = self._wall(ds)
        if self.unit == "index" or (self.unit == "fixed" and self.anchor is None):
            return np.ones(wall.shape, bool)
        dates = wall.astype("datetime64[D]")
        if self.unit == "fixed":
            return np.asarray(_steps.weekday(dates) == self.anchor)
        if self.unit == "business":
            return np.asarray(np.is_busday(dates))
        fits = _steps.is_month_end(dates) if self.day == -1 else _steps.day_of_month(dates) == self.day
        if self.anchor is not None:
            cycle = 12 if self.step % 12 == 0 else 3
            fits = fits & ((dates.astype("datetime64[M]").astype(np.int64) + 1 - self.anchor) % cycle == 0)
        return np.asarray(fits)

    def _checked(self, ds: npt.ArrayLike) -> Stamps:
        stamps = as_stamps(ds)
        if self.is_index != (stamps.dtype.kind != "M"):
            holds, wants = ("dates", "an integer index") if self.is_index else ("integers", "dates")
            raise TimeStampError(
                f"frequency {self.code!r} needs {wants} but the time stamps are {holds}; "
                f"give {'freq=' + repr('D') + ' or the like' if self.is_index else 'freq=' + repr('1')}, or none at all"
            )
        return stamps

    def _wall(self, ds: npt.ArrayLike) -> Stamps:
        stamps = self._checked(ds)
        return stamps if self.zone is None else to_wall(stamps.astype("datetime64[us]"), self.zone)


def as_stamps(ds: npt.ArrayLike) -> Stamps:
    """Any dates as datetime64[us], any integers as int64; same shape.

    Raises:
        TimeStampError: if `ds` is neither.
    """
    array = np.asarray(ds)
    if array.dtype.kind == "O" and array.size and all(isinstance(v, (date, datetime)) for v in array.flat):
        array = array.astype("datetime64[us]")
    if array.dtype.kind in "Mm" or (array.size == 0 and array.dtype.kind != "i"):
        return array.astype("datetime64[us]")
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    raise TimeStampError(f"time stamps must be dates or whole numbers, not {array.dtype}; convert them first")


def show_stamp(stamp: npt.ArrayLike, zone: str | None = None) -> str:
    """One stamp as people write it: the date, and the time of day (in `zone`) only where there is one."""
    value = as_stamps(stamp)
    if value.dtype.kind != "M":
        return str(int(value))
    wall = to_wall(value.astype("datetime64[us]"), zone)
    date_only = wall == wall.astype("datetime64[D]")
    text = np.datetime_as_string(wall, unit="D" if date_only else "auto")
    return str(text).replace("T", " ")


def _parse_plain(cls: type[Frequency], name: str, count: int, anchor: str | None) -> Frequency | None:
    """A code without zone, or None if it means nothing."""
    upper = anchor.upper() if anchor else None
    if name == "B":
        return cls("business", count) if upper is None else None
    if name in _FIXED_US:
        if upper is not None and (name != "W" or upper not in WEEKDAYS):
            return None
        return cls("fixed", count * _FIXED_US[name], anchor=None if upper is None else WEEKDAYS.index(upper))
    if name == "M":
        day = int(upper) if upper is not None and upper.isdigit() else 0
        return cls("months", count, day=day) if 1 < day <= 28 else None
    letter, place = name[:-1], name[-1:]
    if letter not in _MONTHS_IN or place not in ("S", "E"):
        return None
    if upper is not None and (letter == "M" or upper not in MONTHS):
        return None
    month = None if upper is None else _phase(MONTHS.index(upper) + 1, letter, place)
    return cls("months", count * _MONTHS_IN[letter], day=1 if place == "S" else -1, anchor=month)


def _phase(month: int, letter: str, place: str) -> int | None:
    """Quarters that start in January, April, July or October may be named after any of these: take the first one."""
    if letter == "Y":
        return month
    first = (month - 1) % 3 + 1
    return first if place == "S" else first + 9


def _counted(count: int, name: str) -> str:
    return name if count == 1 else f"{count}{name}"


def _unknown(code: object) -> ConfigError:
    return ConfigError(
        f"unknown frequency {code!r}; use a code such as 'D', 'B', 'W-SUN', 'h', '15min', 's', 'MS', 'ME', 'QE', 'YS' "
        "with a count before it if needed ('2h'), '1' for an integer index, or 'irregular'"
    )
