"""Pairs of texts, source and target, from two files, a TSV, a table, or lists."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np

from recurra.data.readers import read_columns
from recurra.data.text.lines import read_lines
from recurra.errors import MissingColumnError, TableError

Columns = tuple[str, str]
DEFAULT_COLUMNS: Columns = ("source", "target")


@dataclass(frozen=True)
class SentencePairs:
    """Sources and targets, one for one, as they were given.

    It is guaranteed that there are as many sources as targets, at least one, and that each is text; a text may be
    empty.

    Attributes:
        source: the texts to translate from, [pairs].
        target: their translations, [pairs].
        place: where they came from, for messages.
        rows: where each pair stands there, from 1: the line of a text or TSV file, the row of a table or list,
            [pairs]; 1, 2, 3 ... if not given.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    place: str = "the pairs"
    rows: Sequence[int] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows or range(1, len(self.source) + 1)))

    def __len__(self) -> int:
        return len(self.source)

    def lower(self, source: bool, target: bool) -> "SentencePairs":
        """The pairs with one side or both in small letters."""
        return replace(
            self,
            source=tuple(text.lower() for text in self.source) if source else self.source,
            target=tuple(text.lower() for text in self.target) if target else self.target,
        )

    def placed(self, part: str) -> "SentencePairs":
        """The pairs, called a part of where they came from in messages."""
        return replace(self, place=f"{self.place} ({part})")

    def split(self, share: float, seed: int) -> "tuple[SentencePairs, SentencePairs]":
        """Two parts; a share, drawn from the seed, goes to the second.

        Equal pairs stay together, so that none is in both.

        Raises:
            TableError: there are fewer than two different pairs.
        """
        kinds = {pair: number for number, pair in enumerate(dict.fromkeys(zip(self.source, self.target, strict=True)))}
        if len(kinds) < 2:
            raise TableError(f"{self.place} holds {len(kinds)} different pair(s); at least 2 are needed to validate")
        chosen = np.random.default_rng(seed).permutation(len(kinds))[: max(1, round(share * len(kinds)))]
        second = np.isin([kinds[pair] for pair in zip(self.source, self.target, strict=True)], chosen)
        return self._select(np.flatnonzero(~second)), self._select(np.flatnonzero(second))

    def _select(self, rows: Iterable[int]) -> "SentencePairs":
        at = list(rows)
        source, target = (tuple(side[i] for i in at) for side in (self.source, self.target))
        return SentencePairs(source, target, self.place, tuple(self.rows[i] for i in at))


def read_pairs(source: object, target: object = None, columns: Columns = DEFAULT_COLUMNS) -> SentencePairs:
    """Pairs of texts, whatever holds them.

    Args:
        source: with a target, the path of a text file with one text a line, or texts one after the other (a list, a
            generator ...). Without one, pairs one after the other (a list, a generator, zip, an array [pairs, 2]),
            any table with the two columns, or the path of one. A .tsv file (or .tsv.gz) whose first line does not
            name the columns has no header: two fields a line, source and target. Quotes in it are text.
        target: the other file or texts.
        columns: names of the columns of source and target in a table; others than `source` and `target` must be
            in the header.

    Raises:
        TableError: a file cannot be read, sides differ in length (the line where they part is named), a row is no
            pair of texts, or there are none.
        MissingColumnError: a column is not there.
    """
    if isinstance(source, SentencePairs):
        return source
    if target is not None:
        return _from_sides(source, target)
    if isinstance(source, (str, PathLike)):
        name = Path(source).name.lower().removesuffix(".gz")
        if name.endswith(".tsv"):
            return _from_tsv(source, columns)
        return _from_table(source, columns, str(source))
    if isinstance(source, np.ndarray):
        source = source.tolist()
    rows = list(source) if isinstance(source, Iterator) else source
    if isinstance(rows, Sequence) and all(isinstance(row, (tuple, list)) for row in rows):
        return _from_rows(rows)
    if isinstance(source, Iterator):
        raise TableError("these rows are no pairs of texts; give (source, target) for each, or the targets as well")
    return _from_table(source, columns, "the table")


def _from_sides(source: object, target: object) -> SentencePairs:
    first, second = _side(source, "the source"), _side(target, "the target")
    names = [str(side) if isinstance(side, (str, PathLike)) else name
             for side, name in ((source, "the source"), (target, "the target"))]  # fmt: skip
    if len(first) != len(second):
        shorter, longer = sorted(zip((len(first), len(second)), names, strict=True))
        raise TableError(
            f"the two sides part at line {shorter[0] + 1}: {shorter[1]} ends after {shorter[0]} lines, "
            f"{longer[1]} has {longer[0]}; each line of one must translate the same line of the other"
        )
    return _checked(first, second, " and ".join(names))


def _side(side: object, name: str) -> list[str]:
    if isinstance(side, (str, PathLike)):
        return read_lines(side)
    texts = list(side) if isinstance(side, Iterable) else None
    if texts is None:
        raise TableError(f"{name} is {type(side).__name__}; give the path of a text file or a list of texts")
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            raise TableError(f"{name}, row {number}: {type(text).__name__} where a text belongs")
    return texts


def _from_rows(rows: Sequence[Sequence[object]]) -> SentencePairs:
    for number, row in enumerate(rows, start=1):
        if len(row) != 2 or not all(isinstance(text, str) for text in row):
            raise TableError(f"row {number} is not a pair of texts; give (source, target)")
    return _checked([str(row[0]) for row in rows], [str(row[1]) for row in rows], "the pairs")


def _from_tsv(path: str | PathLike[str], columns: Columns) -> SentencePairs:
    lines = read_lines(path)
    while lines and not lines[-1].strip(" "):  # empty lines at the end hold no pairs
        lines.pop()
    header = _header(lines[0].split("\t") if lines else [], columns, str(path))
    names, first = (columns, 1) if header is None else (tuple(header), 2)
    rows = [line.split("\t") for line in lines[first - 1 :]]
    for number, row in enumerate(rows, start=first):
        if len(row) != len(names):
            raise TableError(
                f"{path}, line {number}: {len(row)} fields where {len(names)} belong; a line is the source, a tab, "
                "and the target (or give the file a header)"
            )
    source, target = ([row[names.index(name)] for row in rows] for name in columns)
    return _checked(source, target, str(path), range(first, first + len(rows)))


def _header(fields: list[str], columns: Columns, place: str) -> list[str] | None:
    """The first line's fields if they name the columns; None if the file has no header.

    Raises:
        MissingColumnError: they name one of the columns only, or columns that were asked for are not there.
    """
    missing = [name for name in columns if name not in fields]
    if not missing:
        return fields
    if columns == DEFAULT_COLUMNS and len(missing) == len(columns):
        return None
    raise MissingColumnError(
        f"{place} has no column {missing[0]!r}; its first line is {', '.join(map(repr, fields))}. Name both columns as "
        f"they are there; if the file has no header, give it one: {columns[0]}, a tab, {columns[1]}"
    )


def _from_table(source: object, columns: Columns, place: str) -> SentencePairs:
    table = read_columns(source)
    sides = []
    for name in columns:
        if name not in table.names:
            raise MissingColumnError(f"{place} has no column {name!r}; it has {', '.join(map(repr, table.names))}")
        values = table.load(name).values.tolist()
        for number, value in enumerate(values, start=1):
            if value is not None and not isinstance(value, str):
                raise TableError(f"row {number}, column {name!r}: {value!r} is no text; give texts")
        sides.append([value or "" for value in values])
    return _checked(sides[0], sides[1], place)


def _checked(source: list[str], target: list[str], place: str, rows: Sequence[int] = ()) -> SentencePairs:
    if not source:
        raise TableError(f"{place}: there are no pairs; give at least two")
    return SentencePairs(tuple(source), tuple(target), place, rows)
