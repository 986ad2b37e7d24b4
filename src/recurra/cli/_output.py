"""What a verb hands out: JSON, CSV, and files that are there whole or not at all."""

import csv
import json
import math
import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from recurra.errors import ConfigError, MissingExtraError, OutputFolderError


def say(line: str) -> None:
    """A line for the person at the terminal, on standard error."""
    print(line, file=sys.stderr, flush=True)


def print_json(value: object) -> None:
    """One line of JSON on standard output, at once."""
    print(to_json(value), flush=True)


def to_json(value: object) -> str:
    """One line of JSON in ASCII: numbers that are not finite become null, times ISO 8601."""
    return json.dumps(_plain(value), allow_nan=False)


def to_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as CSV with a header."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if rows:
        writer.writerow(rows[0].keys())
    writer.writerows([_plain(value) for value in row.values()] for row in rows)
    return text.getvalue()


def rows_of(table: Any) -> list[dict[str, object]]:
    """The rows of a table that a learner gave back: columns by name, or any frame that narwhals knows."""
    if isinstance(table, Mapping):
        return [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    import narwhals.stable.v2 as nw

    found: list[dict[str, object]] = nw.from_native(table, eager_only=True).rows(named=True)
    return found


def write_parquet(path: Path, table: Any) -> None:
    """A table that a learner gave back as a Parquet file.

    Raises:
        MissingExtraError: neither pyarrow nor polars is installed.
        OSError: what the operating system says.
    """
    if isinstance(table, Mapping) or not (find_spec("pyarrow") or find_spec("polars")):
        raise MissingExtraError("writing Parquet needs pyarrow or polars; install one: pip install pyarrow")
    import narwhals.stable.v2 as nw

    frame = nw.from_native(table, eager_only=True)
    if not find_spec("pyarrow"):
        frame = nw.from_dict(frame.to_dict(as_series=False), backend="polars")
    with _fresh(path) as fresh:
        frame.write_parquet(fresh)


def check_output_file(path: Path | None, known: Sequence[str] = ()) -> None:
    """Refuse, before any work, a file that could not be written after it.

    Raises:
        ConfigError: its folder is not there, or its ending is not one of `known`.
        OutputFolderError: it is a folder, or its folder cannot be written.
    """
    if path is None:
        return
    if known and path.suffix not in known:
        raise ConfigError(f"{path}: unknown kind of file {path.suffix!r}; use {' or '.join(known)}")
    if not path.parent.is_dir():
        raise ConfigError(f"{path}: there is no folder {path.parent}; make it first")
    if path.is_dir():
        raise OutputFolderError(f"{path} is a folder; give the name of a file")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputFolderError(f"{path} cannot be written: no permission in {path.parent}; choose another place")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole, or as it was before.

    Raises:
        OSError: what the operating system says.
    """
    with _fresh(path) as fresh:
        fresh.write_bytes(content)


@contextmanager
def _fresh(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to; what was written there becomes `path`, durably, or nothing does."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        yield fresh
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _plain(value: object) -> Any:
    match value:
        case np.datetime64():
            return _plain(value.astype("datetime64[us]").item())
        case np.generic() | np.ndarray():
            return _plain(value.tolist())
        case date():
            return value.isoformat().removesuffix("T00:00:00")
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case None | str() | int():
            return value
    return str(value)
