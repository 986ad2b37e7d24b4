"""Finding the frequency of series from their time stamps, and naming the row that breaks it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.data import _steps
from recurra.data.frequency import DAY_US, Frequency, as_stamps, show_stamp
from recurra.data.time_zones import to_wall
from recurra.errors import TimeStampError

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Neighbouring rows of one series: `before[k]` and `after[k]` are their stamps, `at[k]` the later one's index."""

    before: _steps.Stamps
    after: _steps.Stamps
    at: Ints

    @classmethod
    def of(cls, ds: _steps.Stamps, offsets: Ints) -> "Pairs":
        """All such pairs of a table whose series i holds rows offsets[i] ... offsets[i + 1] - 1."""
        later = np.ones(len(ds), bool)
        later[offsets[:-1][offsets[:-1] < len(ds)]] = False
        at = np.flatnonzero(later)
        return cls(ds[at - 1], ds[at], at)


def infer_frequency(
    ds: npt.ArrayLike, offsets: Ints, *, zone: str | None = None, gaps: bool = False, column: str = "ds",
    where: Callable[[int], str] | None = None,
) -> Frequency:  # fmt: skip
    """The frequency that all series share.

    Args:
        ds: stamps of all series, one after the other, strictly increasing within each.
        offsets: where each series begins, and the end: [N + 1].
        zone: time zone of the wall clock for daily and coarser steps.
        gaps: whether missing rows are allowed; then at least half of the steps must be single ones.
        column: name of the column, for errors.
        where: names the row at an index, for errors; None counts rows from 1.

    Raises:
        TimeStampError: if no frequency fits, or no series has two rows.
    """
    stamps = as_stamps(ds)
    pairs = Pairs.of(stamps, offsets)
    if len(pairs.at) == 0:
        raise TimeStampError(
            f"column {column!r}: no series has two rows, so the frequency cannot be found; "
            "give it as freq='D' or the like"
        )
    best, fewest = None, np.iinfo(np.int64).max
    for candidate in _candidates(stamps, pairs, zone):
        missing = _missing_rows(candidate, stamps, pairs)
        if missing is not None and missing < fewest:
            best, fewest = candidate, missing
        if fewest == 0:
            break
    if best is not None and (fewest == 0 or gaps):
        return best
    raise _irregular(best, stamps, pairs, zone, where or (lambda at: f"row {at + 1}, column {column!r}"))


def median_frequency(ds: npt.ArrayLike, offsets: Ints, column: str = "ds") -> Frequency:
    """The frequency of irregular rows: each is one step after the one before, and a step is dated by the median gap.

    Raises:
        TimeStampError: if no series has two rows.
    """
    stamps = as_stamps(ds)
    pairs = Pairs.of(stamps, offsets)
    if len(pairs.at) == 0:
        raise TimeStampError(
            f"column {column!r}: no series has two rows, so the median gap cannot be found; give it as "
            "freq='irregular:1h' or the like"
        )
    gap = max(int(np.median((pairs.after - pairs.before).astype(np.int64))), 1)
    return Frequency("fixed" if stamps.dtype.kind == "M" else "index", gap, irregular=True)


def _candidates(ds: _steps.Stamps, pairs: Pairs, zone: str | None) -> Iterator[Frequency]:
    """Frequencies worth trying, the most specific first."""
    if ds.dtype.kind != "M":
        yield Frequency("index", _most_common(pairs.after - pairs.before))
        return
    utc_step = _most_common((pairs.after - pairs.before).astype(np.int64))
    if zone is not None and utc_step % DAY_US != 0 and utc_step < DAY_US:
        yield Frequency("fixed", utc_step)
    wall = to_wall(ds.astype("datetime64[us]"), zone)
    before, after = wall[pairs.at - 1], wall[pairs.at]
    months = after.astype("datetime64[M]").astype(np.int64) - before.astype("datetime64[M]").astype(np.int64)
    if months.min() >= 1:
        yield from (f.in_zone(zone) for f in _monthly(wall, _most_common(months)))
    steps = (after - before).astype(np.int64)
    if zone is not None and steps.min() > DAY_US // 2:  # a midnight skipped by a change of the clocks shows as 01:00
        steps = (steps + DAY_US // 2) // DAY_US * DAY_US
    step = _most_common(steps)
    days = _steps.weekday(wall)
    anchor = int(days[0]) if step % (7 * DAY_US) == 0 and np.all(days == days[0]) else None
    yield Frequency("fixed", step, anchor=anchor).in_zone(zone)
    if days.max() < 5 and step % DAY_US == 0:
        business = _steps.position(after, "business", 1) - _steps.position(before, "business", 1)
        if business.min() >= 1:
            yield Frequency("business", _most_common(business)).in_zone(zone)
    if zone is not None and utc_step % DAY_US == 0:
        yield Frequency("fixed", utc_step, zone="UTC")


def _monthly(wall: npt.NDArray[np.datetime64], months: int) -> Iterator[Frequency]:
    """Month ends first: 30 June and 30 September are ends, not thirtieths."""
    month = wall.astype("datetime64[M]").astype(np.int64) % 12 + 1
    cycle = 12 if months % 12 == 0 else 3
    anchored = months % 3 == 0 and np.all((month - month[0]) % cycle == 0)
    first = int(month[0]) if cycle == 12 else int(month[0] - 1) % 3 + 1
    if np.all(_steps.is_month_end(wall)):
        end = first if cycle == 12 else first + 9
        usual = end == 12
        yield Frequency("months", months, day=-1, anchor=end if anchored and not usual else None)
    day = _steps.day_of_month(wall)
    if np.all(day == 1):
        yield Frequency("months", months, day=1, anchor=first if anchored and first != 1 else None)
    elif np.all(day == day[0]) and day[0] <= 28:
        yield Frequency("months", months, day=int(day[0]))


def _missing_rows(frequency: Frequency, ds: _steps.Stamps, pairs: Pairs) -> int | None:
    """How many rows lie missing between neighbours, or None if the frequency does not explain the stamps."""
    if not np.all(frequency.on_grid(ds)):
        return None
    steps, exact = frequency.count(pairs.before, pairs.after)
    if not np.all(exact) or steps.min() < 1 or 2 * int((steps == 1).sum()) < len(steps):
        return None
    return int((steps - 1).sum())


def _most_common(steps: npt.NDArray[np.int64]) -> int:
    """The step that occurs most often; the smallest of those that tie."""
    values, counts = np.unique(np.asarray(steps, np.int64), return_counts=True)
    return int(values[np.argmax(counts)])


def _irregular(
    best: Frequency | None, ds: _steps.Stamps, pairs: Pairs, zone: str | None, where: Callable[[int], str]
) -> TimeStampError:
    """The error for the first row that does not follow the row before it."""
    if best is None:
        steps = (pairs.after - pairs.before).astype(np.int64)
        wrong = int(np.argmax(steps != _most_common(steps)))
        remedy = "give freq='D' or the like with gaps='fill' and missing='mask', or bring the rows to equal steps"
    else:
        wrong = int(np.argmin(best.is_next(pairs.before, pairs.after)))
        remedy = f"give freq={best.code!r} with gaps='fill' and missing='mask', or add the missing rows"
    at = int(pairs.at[wrong])
    return TimeStampError(
        f"{where(at)}: {show_stamp(ds[at], zone)} after {show_stamp(ds[at - 1], zone)} "
        f"is not the step of the other rows; {remedy}"
    )
