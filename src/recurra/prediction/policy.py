"""What a stream does with rows that do not come one step after the last one."""

from dataclasses import dataclass
from typing import Any, Literal

from recurra.data.frequency import Frequency, show_stamp
from recurra.errors import ConfigError, LateRowError, SkippedRowError, TimeStampError

MOST_SKIPPED = 1_000_000


@dataclass(frozen=True)
class ArrivalPolicy:
    """What a stream does with rows that do not come one step after the last one.

    Args:
        late: a row before the last one seen: "refuse" it with an error, or "ignore" it.
        repeated: a row with the last one's time: "refuse" or "ignore".
        skipped: rows missing in between: "refuse", or "mask" them as missing targets.
    """

    late: Literal["refuse", "ignore"] = "refuse"
    repeated: Literal["refuse", "ignore"] = "refuse"
    skipped: Literal["refuse", "mask"] = "refuse"

    def __post_init__(self) -> None:
        for name, known in (("late", "ignore"), ("repeated", "ignore"), ("skipped", "mask")):
            if getattr(self, name) not in ("refuse", known):
                raise ConfigError(f"{name}={getattr(self, name)!r} is unknown; choose 'refuse' or '{known}'")

    def rows_before(self, place: object, ds: Any, last: Any, frequency: Frequency, zone: str | None) -> int | None:
        """How many rows are missing before a row; None if the row is to be ignored.

        Args:
            place: the row's number and series, for errors.
            ds: its time.
            last: the time of the last row seen.
            frequency: the step between rows.
            zone: time zone to show stamps in.

        Raises:
            LateRowError: the row comes before, or with, the last one and the policy refuses that.
            SkippedRowError: rows are missing before it and the policy refuses that.
            TimeStampError: the row's time is not a whole number of steps after the last one.
        """
        steps, exact = frequency.count(last, ds)
        if exact and steps == 1:
            return 0
        seen = show_stamp(last, zone)
        if not exact:
            raise TimeStampError(
                f"{place}: {show_stamp(ds, zone)} is not a whole number of steps of {frequency.code!r} "
                f"away from the last one seen, {seen}; correct the time stamp"
            )
        if steps < 0 and self.late == "refuse":
            raise LateRowError(
                f"{place}: {show_stamp(ds, zone)} comes before the last one seen, {seen}; leave the row out, "
                "or open the stream with late='ignore'"
            )
        if steps == 0 and self.repeated == "refuse":
            raise LateRowError(
                f"{place}: {seen} has been seen already; leave the row out, or open the stream with repeated='ignore'"
            )
        if steps <= 0:
            return None
        if steps > 1 and (self.skipped == "refuse" or steps > MOST_SKIPPED):
            raise SkippedRowError(
                f"{place}: {show_stamp(ds, zone)} comes {steps} steps after the last one seen, {seen}; hand in the "
                "rows between, or open the stream with skipped='mask' (the model must be fitted with missing='mask')"
            )
        return int(steps) - 1
