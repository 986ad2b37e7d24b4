"""Pairs of texts as piece numbers, with a report of what was dropped, truncated, or never seen."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recurra.data.text.pairs import SentencePairs
from recurra.data.text.pieces import UNKNOWN, Pieces
from recurra.errors import TableError

Numbers = npt.NDArray[np.int64]
TooLong = Literal["drop", "truncate", "refuse"]


@dataclass(frozen=True)
class TextReport:
    """What became of the pairs: nothing is left out silently.

    Args:
        pairs: those that were given.
        kept: those that are learned from or validated on.
        empty: dropped, because a side holds nothing.
        too_long: dropped, because a side has more pieces than are allowed.
        truncated: kept, but cut to the pieces that are allowed.
        unknown: pieces never seen in the training part, of both sides.
        pieces: all pieces of both sides that are kept.
        first: for each of these, the row of the first pair that it happened to, as `SentencePairs.rows` counts.
    """

    pairs: int
    kept: int
    empty: int = 0
    too_long: int = 0
    truncated: int = 0
    unknown: int = 0
    pieces: int = 0
    first: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def __str__(self) -> str:
        told = [f"{self.kept:,} of {self.pairs:,} pairs kept, {self.pieces:,} pieces"]
        for name, words in (("empty", "dropped as empty"), ("too_long", "dropped as too long"),
                            ("truncated", "truncated"), ("unknown", "unknown pieces")):  # fmt: skip
            if count := getattr(self, name):
                told.append(f"{count:,} {words} (the first in row {self.first[name]})")
        return "; ".join(told)


@dataclass(frozen=True)
class EncodedPairs:
    """Pairs as piece numbers, neither BEGIN nor END among them; no side is empty.

    Attributes:
        source, target: piece numbers of each pair, [pairs][pieces].
        rows: the row of each pair among those that were given, from 0, [pairs].
        report: what became of the others.
    """

    source: tuple[Numbers, ...]
    target: tuple[Numbers, ...]
    rows: Numbers
    report: TextReport

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def source_lengths(self) -> Numbers:
        """Pieces of each source, [pairs]."""
        return np.array([len(numbers) for numbers in self.source], np.int64)

    @property
    def target_lengths(self) -> Numbers:
        """Pieces of each target, [pairs]."""
        return np.array([len(numbers) for numbers in self.target], np.int64)


def encode_pairs(
    pairs: SentencePairs, source: Pieces, target: Pieces, max_length: int, too_long: TooLong = "drop"
) -> EncodedPairs:
    """Number the pieces of every pair.

    Args:
        pairs: the texts.
        source: vocabulary of the sources.
        target: vocabulary of the targets.
        max_length: pieces of a side at most.
        too_long: what becomes of a pair with a longer side.

    Raises:
        TableError: a pair is too long and that is to be refused, or no pair is left.
    """
    first: dict[str, int] = {}
    counts = dict.fromkeys(("empty", "too_long", "truncated", "unknown", "pieces"), 0)

    def count(name: str, row: int, many: int = 1) -> None:
        if many:
            counts[name] += many
            first.setdefault(name, pairs.rows[row])

    kept: tuple[list[Numbers], list[Numbers]] = ([], [])
    rows: list[int] = []
    for row, texts in enumerate(zip(pairs.source, pairs.target, strict=True)):
        sides = [pieces.encode(text) for pieces, text in zip((source, target), texts, strict=True)]
        longest = max(map(len, sides))
        if not all(sides) or not all(text.strip() for text in texts):
            count("empty", row)
            continue
        if longest > max_length:
            if too_long == "refuse":
                raise TableError(
                    f"{pairs.place}, row {pairs.rows[row]}: {longest} pieces where {max_length} are allowed; "
                    "shorten the pair, raise max_length, or say too_long='drop' or 'truncate'"
                )
            if too_long == "drop":
                count("too_long", row)
                continue
            count("truncated", row)
            sides = [side[:max_length] for side in sides]
        count("unknown", row, sum(side.count(UNKNOWN) for side in sides))
        counts["pieces"] += sum(map(len, sides))
        for numbers, side in zip(kept, sides, strict=True):
            numbers.append(np.array(side, np.int64))
        rows.append(row)
    if not rows:
        raise TableError(
            f"{pairs.place}: of {len(pairs)} pairs none is left ({counts['empty']} are empty, {counts['too_long']} "
            f"longer than max_length={max_length} pieces)"
        )
    report = TextReport(len(pairs), len(rows), **counts, first=first)
    return EncodedPairs(tuple(kept[0]), tuple(kept[1]), np.array(rows, np.int64), report)


def pad(rows: Sequence[Numbers], filling: int = 0) -> tuple[Numbers, Numbers]:
    """Rows of numbers side by side, [rows, longest], and their lengths, [rows]."""
    lengths = np.array([len(row) for row in rows], np.int64)
    padded = np.full((len(rows), int(lengths.max(initial=0))), filling, np.int64)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = row
    return padded, lengths
