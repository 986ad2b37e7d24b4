"""Tables from files and frames: CSV, TSV, Parquet, pandas, polars, pyarrow, narwhals, or plain rows and columns."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from recurra.data._delimited import read_delimited
from recurra.errors import MissingExtraError, TableError

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

TableKind: TypeAlias = Literal["pandas", "polars", "pyarrow", "columns"]

_TEXT_FILES = {".csv": ",", ".tsv": "\t"}
_KNOWN_FILES = ".csv, .tsv, .csv.gz, .tsv.gz, .parquet"


@dataclass(frozen=True)
class RawColumn:
    """One column before anything is checked.

    Attributes:
        values: [rows]: int64, float64 (NaN = missing), bool, datetime64 (NaT = missing), or object (None = missing).
        time_zone: zone of datetime64 values, which are then UTC; None for values without a zone.
    """

    values: npt.NDArray[Any]
    time_zone: str | None = None


@dataclass(frozen=True)
class RawTable:
    """A table before anything is checked: columns are loaded when asked for.

    Attributes:
        names: column names, in order.
        n_rows: number of rows.
        kind: the kind of table to give back.
        load: column name -> RawColumn.
        index_names: names of the index of a pandas table, which are not columns.
    """

    names: tuple[str, ...]
    n_rows: int
    kind: TableKind
    load: Callable[[str], RawColumn]
    index_names: tuple[str, ...] = ()


def read_table(source: object) -> "nw.DataFrame[Any]":
    """Any table as a narwhals DataFrame.

    Args:
        source: a path (.csv, .tsv, either with .gz, or .parquet), a pandas, polars or pyarrow table, or a narwhals one.
            Columns of a text file are whole numbers, numbers or text; dates stay text.

    Raises:
        TableError: if the file is missing, of an unknown kind or damaged, or `source` is no table.
        MissingExtraError: for a file when none of pandas, polars and pyarrow is installed.
    """
    import narwhals.stable.v2 as nw

    if not isinstance(source, (str, PathLike)):
        return _frame(source)
    path = Path(source)
    if path.name.lower().endswith(".parquet"):
        return _frame(_read_parquet(_existing(path)))
    raw = read_columns(path)
    if raw.kind == "columns":
        raise MissingExtraError(
            "a table from a file needs pandas, polars or pyarrow; install one of them: pip install pandas"
        )
    data = {name: _typed(raw.load(name).values) for name in raw.names}
    return nw.from_dict(data, backend=raw.kind)


def read_columns(source: object) -> RawTable:
    """Any table as raw columns, without any frame library where none is needed.

    Args:
        source: what `read_table` takes, a mapping of column names to sequences, or a sequence of mappings (rows).

    Raises:
        TableError: as for `read_table`.
        MissingExtraError: for Parquet when neither pyarrow nor polars is installed.
    """
    if isinstance(source, RawTable):
        return source
    if isinstance(source, (str, PathLike)):
        path = Path(source)
        if path.name.lower().endswith(".parquet"):
            return _from_frame(_frame(_read_parquet(_existing(path))), installed_kind())
        return _from_lists(read_delimited(_existing(path), _separator(path)), installed_kind())
    if isinstance(source, Mapping):
        return _from_lists({str(name): _as_list(name, values) for name, values in source.items()}, installed_kind())
    if isinstance(source, Sequence) and all(isinstance(row, Mapping) for row in source):
        names = tuple(dict.fromkeys(str(name) for row in source for name in row))
        return _from_lists({name: [row.get(name) for row in source] for name in names}, installed_kind())
    pandas: Any = sys.modules.get("pandas")
    if pandas is not None and type(source) is pandas.DataFrame:
        return _from_pandas(source)
    return _from_frame(_frame(source), None)


def installed_kind() -> TableKind:
    """The kind of table to give back where the source has none: pandas, else polars, else pyarrow, else columns."""
    if find_spec("pandas"):
        return "pandas"
    if find_spec("polars"):
        return "polars"
    return "pyarrow" if find_spec("pyarrow") else "columns"


def _existing(path: Path) -> Path:
    if path.is_dir():
        raise TableError(f"{path} is a folder; give the path of a file ({_KNOWN_FILES})")
    if not path.exists():
        raise TableError(f"{path}: there is no such file; check the path")
    return path


def _separator(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    separator = _TEXT_FILES.get(suffixes[-1]) if suffixes else None
    if separator is None:
        raise TableError(f"{path}: unknown kind of file; use one of {_KNOWN_FILES}")
    return separator


def _read_parquet(path: Path) -> object:
    try:
        if find_spec("pyarrow"):
            from pyarrow import parquet

            table: object = parquet.read_table(path)
            return table
        if find_spec("polars"):
            import polars

            return polars.read_parquet(path)
    except Exception as error:  # each library has its own tree of errors for a damaged file
        raise TableError(f"{path} is not a readable Parquet file: {_in_short(error)}") from error
    raise MissingExtraError("reading Parquet needs pyarrow or polars; install one: pip install pyarrow")


def _frame(source: object) -> "nw.DataFrame[Any]":
    import narwhals.stable.v2 as nw

    if hasattr(source, "collect_schema") and hasattr(source, "collect"):
        source = source.collect()
    native = nw.to_native(source, pass_through=True)
    try:
        frame: nw.DataFrame[Any] = nw.from_native(native, eager_only=True)
    except (TypeError, ValueError) as error:
        raise TableError(
            f"{type(source).__name__} is not a table; give a path, a pandas, polars or pyarrow table, "
            f"or columns by name ({_in_short(error)})"
        ) from error
    return frame


def _from_pandas(frame: Any) -> RawTable:
    """A pandas table; narwhals is asked only for the columns that are neither numbers, text nor plain dates."""
    labels = frame.columns.tolist()
    names = list(map(str, labels))
    positions = {name: position for position, name in enumerate(names)}
    if len(positions) < len(labels) or not frame.columns.is_unique:
        twice = next((name for name in names if names.count(name) > 1), names[0])
        raise TableError(f"a table needs unique column names; {twice!r} is there more than once: rename one of them")
    index_names = tuple(str(name) for name in frame.index.names if name is not None)

    def load(name: str) -> RawColumn:
        position = positions[name]
        plain = _plain_column(frame[labels[position]])
        return _frame_column(_frame(frame)[:, position]) if plain is None else plain

    return RawTable(tuple(positions), len(frame), "pandas", load, index_names)


def _from_frame(frame: "nw.DataFrame[Any]", kind: TableKind | None) -> RawTable:
    implementation = frame.implementation
    native: TableKind = (
        "polars" if implementation.is_polars() else "pyarrow" if implementation.is_pyarrow() else "pandas"
    )
    index = getattr(frame.to_native(), "index", None)
    names = tuple(str(name) for name in getattr(index, "names", ()) if name is not None)
    columns = {str(name): position for position, name in enumerate(frame.columns)}

    def load(name: str) -> RawColumn:
        column = frame[:, columns[name]]
        plain = _plain_column(column.to_native()) if implementation.is_pandas() else None
        return _frame_column(column) if plain is None else plain

    return RawTable(tuple(columns), len(frame), kind or native, load, index_names=names)


def _plain_column(series: Any) -> RawColumn | None:
    """A pandas column of text, of numpy's numbers or of dates without a zone, without a detour; None for any other."""
    if not isinstance(series.dtype, np.dtype):
        if str(series.dtype) not in ("str", "string"):
            return None
        texts = np.array(series.to_numpy(), object)
        texts[series.isna().to_numpy()] = None
        return RawColumn(texts)
    if series.dtype.kind not in "fiuM":
        return None
    values = series.to_numpy()
    return RawColumn(values.astype(np.float64, copy=False) if values.dtype.kind == "f" else values)


def _frame_column(series: "nw.Series[Any]") -> RawColumn:
    """A column of a frame as numpy, dates in UTC."""
    import narwhals.stable.v2 as nw

    dtype = series.dtype
    zone = getattr(dtype, "time_zone", None) if isinstance(dtype, nw.Datetime) else None
    if zone is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    if isinstance(dtype, (nw.Datetime, nw.Date)):
        return RawColumn(
            np.asarray(series.to_numpy()).astype("datetime64[D]" if dtype == nw.Date else "datetime64"), zone
        )
    if dtype.is_numeric() and not isinstance(dtype, nw.Decimal):
        values = series.to_numpy()
        return RawColumn(values if values.dtype.kind in "iu" else values.astype(np.float64))
    if isinstance(dtype, nw.Boolean) and series.null_count() == 0:
        return RawColumn(series.to_numpy().astype(bool))
    if isinstance(dtype, (nw.List, nw.Array, nw.Struct)):
        raise TableError(f"column {series.name!r} holds lists or structures; give one value per row")
    values = np.fromiter(series.to_list(), object, len(series))
    values[series.is_null().to_numpy()] = None
    return RawColumn(values)


def _from_lists(data: Mapping[str, list[Any]], kind: TableKind) -> RawTable:
    lengths = {len(values) for values in data.values()}
    if len(lengths) > 1:
        raise TableError(f"columns differ in length: {', '.join(f'{k!r} {len(v)}' for k, v in data.items())}")
    return RawTable(tuple(data), max(lengths, default=0), kind, lambda name: _list_column(data[name]))


def _list_column(values: list[Any]) -> RawColumn:
    if set(map(type, values)) == {float}:
        return RawColumn(np.array(values, np.float64))
    return RawColumn(_objects(values))


def _as_list(name: object, values: object) -> list[Any]:
    if isinstance(values, np.ndarray) and values.dtype.kind != "M":
        found = values.tolist()
        return found if isinstance(found, list) else [found]
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TableError(f"column {name!r} is {type(values).__name__}, not a sequence of values")
    return list(values)


def _objects(values: list[Any]) -> npt.NDArray[np.object_]:
    """A list as an object array, with None for everything that means missing."""
    kinds = set(map(type, values))
    if kinds & {list, tuple, dict, set, np.ndarray}:
        raise TableError("a column holds lists or structures; give one value per row")
    if not kinds <= {str}:
        values = [None if _is_nothing(value) else value for value in values]
    return np.fromiter(values, object, len(values))


def _is_nothing(value: object) -> bool:
    return type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value))


def _in_short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _typed(values: npt.NDArray[Any]) -> npt.NDArray[Any] | list[Any]:
    """Text as whole numbers or numbers where all of it reads so, else as it is with None for empty cells."""
    if values.dtype.kind != "O":
        return values
    texts = [None if text == "" else text for text in values]
    known = [text for text in texts if text is not None]
    if known and len(known) == len(texts) and all(is_whole_number(text) for text in known):
        return np.array([int(text) for text in known], np.int64)
    try:
        return np.array([np.nan if text is None else float(text) for text in texts], np.float64) if known else texts
    except (TypeError, ValueError):
        return texts


def is_whole_number(text: object) -> bool:
    """Whether a text is a whole number as Python writes it: no sign but '-', no leading zeros, within int64."""
    if not isinstance(text, str):
        return isinstance(text, (int, np.integer)) and not isinstance(text, bool) and abs(int(text)) < 2**63
    digits = text[1:] if text[:1] == "-" else text
    return digits.isdecimal() and digits.isascii() and (digits == "0" or digits[0] != "0") and len(digits) <= 18
