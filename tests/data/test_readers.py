"""Readers: the same small table through every door, and files that are no tables."""

import builtins
import gzip
import sys
from pathlib import Path

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from recurra.data import readers
from recurra.data.columns import Columns
from recurra.data.readers import read_columns, read_table
from recurra.data.series import SeriesTable
from recurra.errors import MissingColumnError, MissingExtraError, TableError

DATA = {"unique_id": ["a", "a", "b", "b"], "ds": ["2024-01-01", "2024-01-02"] * 2, "y": [1.5, 2.0, 3.0, 4.0]}
CSV = "unique_id,ds,y\na,2024-01-01,1.5\na,2024-01-02,2\nb,2024-01-01,3\nb,2024-01-02,4\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode(encoding)))
    else:
        path.write_bytes(text.encode(encoding))
    return path


def sources(folder: Path) -> dict[str, object]:
    frame = pd.DataFrame(DATA)
    frame.to_parquet(folder / "t.parquet")
    tabs = CSV.replace(",", "\t")
    dates = pd.to_datetime(frame.ds)
    return {
        "pandas": frame,
        "polars": pl.DataFrame(DATA),
        "lazy": pl.LazyFrame(DATA),
        "pyarrow": pa.table(DATA),
        "narwhals": nw.from_native(pl.DataFrame(DATA)),
        "mapping": DATA,
        "numpy": {name: np.array(values) for name, values in DATA.items()},
        "rows": [dict(zip(DATA, row, strict=True)) for row in zip(*DATA.values(), strict=True)],
        "csv": write(folder / "t.csv", CSV),
        "text path": str(write(folder / "u.csv", CSV)),
        "gz": write(folder / "t.csv.gz", CSV),
        "tsv": write(folder / "t.tsv", tabs),
        "tsv.gz": write(folder / "t.tsv.gz", tabs),
        "semicolons": write(folder / "s.csv", CSV.replace(",", ";")),
        "windows": write(folder / "w.csv", CSV.replace("\n", "\r\n")),
        "byte order mark": write(folder / "bom.csv", CSV, "utf-8-sig"),
        "blank lines": write(folder / "l.csv", CSV.replace("\nb", "\n\nb")),
        "quoted": write(folder / "q.csv", CSV.replace("2024-01-01", '"2024-01-01"')),
        "capitals": write(folder / "T.CSV", CSV),
        "parquet": folder / "t.parquet",
        "arrow dtypes": frame.convert_dtypes(dtype_backend="pyarrow"),
        "nullable": frame.convert_dtypes(),
        "categorical ids": frame.astype({"unique_id": "category"}),
        "dates": frame.assign(ds=dates),
        "python dates": frame.assign(ds=dates.dt.date),
        "nanoseconds": frame.assign(ds=dates.astype("M8[ns]")),
        "polars dates": pl.DataFrame(DATA).with_columns(pl.col("ds").str.to_date()),
    }


KINDS = {"polars": "polars", "lazy": "polars", "narwhals": "polars", "polars dates": "polars", "pyarrow": "pyarrow"}


def test_every_door_gives_the_same_table(tmp_path: Path) -> None:
    for name, source in sources(tmp_path).items():
        table = SeriesTable.from_table(source)
        assert table.ids == ("a", "b"), name
        assert table.y.tolist() == DATA["y"], name
        assert table.ds.astype("M8[D]").astype(str).tolist() == DATA["ds"], name
        assert table.frequency.code == "D", name
        assert table.kind == KINDS.get(name, "pandas"), name


def test_read_table_gives_a_narwhals_frame_with_numbers_as_numbers(tmp_path: Path) -> None:
    text = "id,n,x,t,e\n007,1,1.5,a,\n008,-2,,b,1\n"
    frame = read_table(write(tmp_path / "t.csv", text))
    assert isinstance(frame, nw.DataFrame)
    assert frame["n"].to_list() == [1, -2]
    assert frame["x"].to_list()[0] == 1.5
    assert frame["t"].to_list() == ["a", "b"]
    assert read_table(pl.DataFrame(DATA)).implementation.is_polars()
    assert list(read_table(sources(tmp_path)["parquet"]).columns) == list(DATA)


def test_without_any_frame_library_a_csv_still_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "find_spec", lambda name: None)
    path = write(tmp_path / "t.csv", CSV)
    table = SeriesTable.from_table(path)
    assert table.kind == "columns"
    assert table.y.tolist() == DATA["y"]
    with pytest.raises(MissingExtraError, match="pip install"):
        read_table(path)
    with pytest.raises(MissingExtraError, match="Parquet"):
        read_columns(sources(tmp_path)["parquet"])


@pytest.mark.parametrize("labels", [["a", "a"], [True, 1], [1, "1"]], ids=str)
def test_labels_of_pandas_that_cannot_be_told_apart_are_refused(labels: list[object]) -> None:
    with pytest.raises(TableError, match="unique column names"):
        read_columns(pd.DataFrame([[1.0, 2.0]], columns=pd.Index(labels, dtype=object)))


@pytest.mark.parametrize(("present", "kind"), [({"polars", "pyarrow"}, "polars"), ({"pyarrow"}, "pyarrow")])
def test_a_path_gives_the_first_library_that_is_there(
    monkeypatch: pytest.MonkeyPatch, present: set[str], kind: str
) -> None:
    monkeypatch.setattr(readers, "find_spec", lambda name: name if name in present else None)
    assert readers.installed_kind() == kind


def test_parquet_through_polars_where_pyarrow_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sources(tmp_path)["parquet"]
    monkeypatch.setattr(readers, "find_spec", lambda name: None if name == "pyarrow" else name)
    assert SeriesTable.from_table(path).y.tolist() == DATA["y"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "there is no such file"),
        ("t.xlsx", b"x", r"unknown kind of file; use one of \.csv"),
        ("plain", b"x", "unknown kind of file"),
        ("empty.csv", b"", "is empty"),
        ("binary.csv", bytes(range(256)), "is not UTF-8 text"),
        ("nul.csv", b"a\0b,c\n", "is not a text file"),
        ("latin.csv", "unique_id,ds,y\nMünchen,2024-01-01,1\n".encode("latin-1"), "save it as UTF-8"),
        ("fake.csv.gz", b"unique_id,ds,y\n", "not a whole gzip file"),
        ("cut.csv.gz", gzip.compress(CSV.encode())[:-9], "not a whole gzip file"),
        ("fake.parquet", b"unique_id,ds,y\n", "not a readable Parquet file"),
        ("twice.csv", b"unique_id,ds,y,y\n", "column 'y' occurs twice"),
        (
            "ragged.csv",
            CSV.replace("b,2024-01-01,3", "b,2024-01-01").encode(),
            "row 3: 2 fields where the header has 3",
        ),
        ("wide.csv", CSV.replace("b,2024-01-01,3", "b,2024-01-01,3,5").encode(), "row 3: 4 fields"),
        ("quote.csv", CSV.replace("b,", '"b,').encode(), "line 5: .* check the quotes"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=message) as caught:
        SeriesTable.from_table(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="is a folder"):
        SeriesTable.from_table(tmp_path)


@pytest.mark.parametrize("source", [3, None, [1, 2], np.zeros((3, 3)), pd.Series([1.0]), object()])
def test_an_object_that_is_no_table_is_refused(source: object) -> None:
    with pytest.raises(TableError, match="is not a table"):
        SeriesTable.from_table(source)


def test_columns_of_lists_and_of_unequal_length_are_refused() -> None:
    with pytest.raises(TableError, match="lists or structures"):
        SeriesTable.from_table(pl.DataFrame({**DATA, "y": [[1], [2], [3], [4]]}))
    for name in DATA:
        with pytest.raises(TableError, match="lists or structures"):
            SeriesTable.from_table({**DATA, name: [[1], (2,), 3, 4]})
    with pytest.raises(TableError, match="differ in length"):
        SeriesTable.from_table({**DATA, "y": [1.0]})
    with pytest.raises(TableError, match="not a sequence"):
        SeriesTable.from_table({**DATA, "y": "1234"})


def test_odd_names_of_columns() -> None:
    frame = pd.DataFrame({0: DATA["unique_id"], 1: DATA["ds"], 2: DATA["y"]})
    assert SeriesTable.from_table(frame, columns=Columns("0", "1", "2")).ids == ("a", "b")
    with pytest.raises(MissingColumnError, match="the columns are '0', '1', '2'"):
        SeriesTable.from_table(frame)
    frame.columns = ["unique_id", "ds", "ds"]
    with pytest.raises(TableError, match="unique column names"):
        SeriesTable.from_table(frame)


def test_names_of_series_survive_a_csv(tmp_path: Path) -> None:
    """Leading zeros and the words that pandas takes for missing are names; whole numbers are whole numbers."""
    rows = "".join(f"{name},2024-01-0{day},1\n" for name in ("007", "NA", "null") for day in (1, 2))
    assert SeriesTable.from_table(write(tmp_path / "t.csv", "unique_id,ds,y\n" + rows)).ids == ("007", "NA", "null")
    rows = "".join(f"{name},2024-01-0{day},1\n" for name in (10, 7) for day in (1, 2))
    assert SeriesTable.from_table(write(tmp_path / "t.csv", "unique_id,ds,y\n" + rows)).ids == (10, 7)


def test_reading_a_csv_imports_no_frame_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t.csv", CSV)
    real = builtins.__import__

    def guarded(name: str, *args: object, **kwargs: object) -> object:
        assert name.split(".", maxsplit=1)[0] not in {"pandas", "polars", "pyarrow", "narwhals"}, name
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", guarded)
    assert len(SeriesTable.from_table(path)) == 4
    assert "numpy" in sys.modules
