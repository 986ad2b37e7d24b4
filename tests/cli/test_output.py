"""What a verb hands out: strict JSON, plain CSV, files that are there whole or as before."""

import json
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from recurra.cli._output import rows_of, to_csv, to_json, write_atomically, write_parquet
from recurra.errors import MissingExtraError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        ([np.float64("inf"), 1.5, np.int64(3)], [None, 1.5, 3]),
        ({"a": np.array([1.0, 2.0]), 2: (True, None)}, {"a": [1.0, 2.0], "2": [True, None]}),
        (np.datetime64("2024-01-01T00:00:00.000000"), "2024-01-01"),
        (datetime(2024, 1, 1, 13, 30), "2024-01-01T13:30:00"),
        (pd.Timestamp("2024-01-01"), "2024-01-01"),
        (datetime(2024, 1, 1, tzinfo=timezone.utc), "2024-01-01T00:00:00+00:00"),
        (Path("a/b"), "a/b"),
        ("σ", "σ"),
    ],
)
def test_json_is_strict_and_in_ascii(value: object, expected: object) -> None:
    text = to_json(value)
    assert text.isascii()
    assert json.loads(text, parse_constant=pytest.fail) == expected


def test_csv() -> None:
    rows = [{"id": "a,b", "ds": datetime(2024, 1, 1), "y": 0.1}, {"id": "σ", "ds": np.datetime64("2024-01-02"), "y": 2}]
    assert to_csv(rows) == 'id,ds,y\n"a,b",2024-01-01,0.1\nσ,2024-01-02,2\n'
    assert to_csv([]) == ""


COLUMNS = {"id": ["a", "b"], "ds": [datetime(2024, 1, 1), datetime(2024, 1, 2)], "y": [1.0, 2.0]}
KINDS = {"columns": dict, "pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}


@pytest.mark.parametrize("kind", KINDS)
def test_the_rows_of_any_table(kind: str) -> None:
    assert rows_of(KINDS[kind](COLUMNS)) == [
        dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)
    ]


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("without", ["", "pyarrow"])
def test_parquet(kind: str, without: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.cli._output.find_spec", lambda name: name != without)
    write_parquet(tmp_path / "t.parquet", KINDS[kind](COLUMNS))
    assert rows_of(pl.read_parquet(tmp_path / "t.parquet")) == rows_of(COLUMNS)


def test_parquet_needs_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.cli._output.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="pip install pyarrow"):
        write_parquet(tmp_path / "t.parquet", pd.DataFrame(COLUMNS))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.bin"
    write_atomically(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", fail)
        with pytest.raises(OSError, match="No space left"):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
