"""Columns in memory to the kind of table that the user works with."""

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from recurra.data.readers import TableKind
from recurra.data.time_zones import zone_info
from recurra.errors import ConfigError, MissingExtraError

_FIXED = ("+", "-", "UTC+", "UTC-", "GMT+", "GMT-")


def to_native(columns: Mapping[str, npt.NDArray[Any]], kind: TableKind, *, time_zone: str | None = None) -> Any:
    """A table of the kind asked for.

    Args:
        columns: name -> [rows]; numbers, text (object), or datetime64 in UTC.
        kind: "pandas", "polars", "pyarrow", or "columns" for a plain dict of lists.
        time_zone: zone to give datetime64 columns; None leaves them without one.

    Raises:
        ConfigError: for an unknown kind.
        MissingExtraError: if the library is not installed.
    """
    if kind == "columns":
        return {name: _plain(values, time_zone) for name, values in columns.items()}
    if kind not in ("pandas", "polars", "pyarrow"):
        raise ConfigError(f"unknown kind of table {kind!r}; use 'pandas', 'polars', 'pyarrow' or 'columns'")
    import narwhals.stable.v2 as nw

    data = {name: _for_frame(values) for name, values in columns.items()}
    try:
        if kind == "pandas" and time_zone is None:
            import pandas

            return pandas.DataFrame(data)
        frame = nw.from_dict(data, backend=kind)
    except ImportError as error:
        raise MissingExtraError(f"a {kind} table needs {kind}; install it: pip install {kind}") from error
    if time_zone is not None:
        zone = _zone_for(kind, time_zone)
        stamps = [name for name, values in columns.items() if values.dtype.kind == "M"]
        localised = [nw.col(name).dt.replace_time_zone("UTC").dt.convert_time_zone(zone) for name in stamps]
        frame = frame.with_columns(*localised)
    return frame.to_native()


def _for_frame(values: npt.NDArray[Any]) -> npt.NDArray[Any] | list[Any]:
    return values.tolist() if values.dtype.kind == "O" else values


def _plain(values: npt.NDArray[Any], time_zone: str | None) -> list[Any]:
    if values.dtype.kind != "M" or time_zone is None:
        found: list[Any] = values.astype("datetime64[us]").tolist() if values.dtype.kind == "M" else values.tolist()
        return found
    utc, zone = zone_info("UTC"), zone_info(time_zone)
    return [moment.replace(tzinfo=utc).astimezone(zone) for moment in values.astype("datetime64[us]").tolist()]


def _zone_for(kind: TableKind, time_zone: str) -> str:
    """The name by which a library knows a zone; polars has no fixed offsets, so whole hours become Etc/GMT."""
    if not time_zone.startswith(_FIXED):
        return time_zone
    minutes = int(zone_info(time_zone).utcoffset(None).total_seconds() // 60)  # type: ignore[union-attr]
    if kind == "polars":
        return f"Etc/GMT{-minutes // 60:+d}" if minutes % 60 == 0 and minutes else "UTC"
    sign = "-" if minutes < 0 else "+"
    offset = f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    return f"UTC{offset}" if kind == "pandas" else offset
