"""Single time stamps of rows that arrive, and the rule that a model's stamps all have a time zone or none has."""

from datetime import date, datetime
from typing import Any

import numpy as np

from recurra.errors import TimeStampError

HOW_TO_WRITE = "write it as 2024-01-31 or 2024-01-31T12:00"


def parse_stamp(value: Any, where: str, date_format: str | None = None, time_zone: str | None = None) -> Any:
    """A time stamp as datetime64[us], in UTC if the model's stamps have a zone.

    Args:
        value: a date, a datetime, a pandas Timestamp, a datetime64, or text.
        where: names row and column in errors.
        date_format: how text is written (`datetime.strptime`); ISO 8601 without it.
        time_zone: zone of the model's time stamps, None if they have none.

    Raises:
        TimeStampError: if it is no date, finer than a microsecond, or has a zone where the model's have none, or none
            where they have one.
    """
    if isinstance(value, str):
        value = _from_text(value, where, date_format)
    if not isinstance(value, (date, np.datetime64)) or value != value:  # noqa: PLR0124  NaT is unlike itself
        raise TimeStampError(f"{where}: {value!r} is not a date; {HOW_TO_WRITE}")
    if getattr(value, "nanosecond", 0):
        raise TimeStampError(f"{where}: {value} is finer than a microsecond; round the time stamp")
    offset = value.utcoffset() if isinstance(value, datetime) else None
    refuse_other_clock(time_zone, offset is not None, where)
    if offset is not None and isinstance(value, datetime):
        return np.datetime64(value.replace(tzinfo=None) - offset, "us")
    return np.datetime64(value, "us")  # type: ignore[call-overload]


def refuse_other_clock(time_zone: str | None, has_zone: bool, where: str) -> None:
    """Stamps with a zone do not mix with stamps without one.

    Raises:
        TimeStampError: if the model's stamps have a zone and these have none, or the other way round.
    """
    if has_zone and time_zone is None:
        raise TimeStampError(f"{where}: the model's time stamps have no time zone and this one has; remove the zone")
    if time_zone is not None and not has_zone:
        raise TimeStampError(
            f"{where}: the model's time stamps are in time zone {time_zone} and this one has no zone; "
            "write it with its offset, as in 2024-01-31T12:00+01:00"
        )


def _from_text(text: str, where: str, date_format: str | None) -> datetime:
    try:
        if date_format is not None:
            return datetime.strptime(text, date_format)
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        how = f"write it as {date_format}" if date_format is not None else HOW_TO_WRITE
        raise TimeStampError(f"{where}: {text!r} is not a date; {how}") from None
