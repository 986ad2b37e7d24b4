"""Pairs as numbers: everything that was given is kept or counted."""

from typing import Any

import numpy as np
import pytest

from recurra.data.text import PieceOptions, SentencePairs, build_pieces, encode_pairs
from recurra.data.text.encoding import pad
from recurra.errors import TableError

PIECES = build_pieces(["a b c d e"], PieceOptions("symbols"))
PAIRS = SentencePairs(("a b", "", "a b c d e", "c x", "  "), ("b a", "a", "e", "y y", "b"), "mine")


@pytest.mark.parametrize(
    ("too_long", "rows", "counts"),
    [
        ("drop", [0, 3], {"empty": 2, "too_long": 1, "truncated": 0}),
        ("truncate", [0, 2, 3], {"empty": 2, "too_long": 0, "truncated": 1}),
    ],
)
def test_nothing_is_left_out_silently(too_long: Any, rows: list[int], counts: dict[str, int]) -> None:
    # expected: counted by hand in PAIRS; x and y are in no training text
    encoded = encode_pairs(PAIRS, PIECES, PIECES, 3, too_long)
    report = encoded.report
    assert encoded.rows.tolist() == rows
    assert {name: getattr(report, name) for name in counts} == counts
    assert (report.pairs, report.kept, report.unknown) == (5, len(rows), 3)
    assert report.pieces == sum(encoded.source_lengths) + sum(encoded.target_lengths)
    assert report.first["empty"] == 2
    assert max(encoded.source_lengths) <= 3
    assert "2 dropped as empty (the first in row 2)" in str(report)
    assert "3 unknown pieces (the first in row 4)" in str(report)


def test_a_pair_that_is_too_long_can_be_refused() -> None:
    with pytest.raises(TableError, match="mine, row 3: 5 pieces where 3 are allowed"):
        encode_pairs(PAIRS, PIECES, PIECES, 3, "refuse")


def test_a_pair_of_10000_words_is_counted() -> None:
    pairs = SentencePairs(("a " * 10_000, "a"), ("b", "b"))
    assert encode_pairs(pairs, PIECES, PIECES, 100).report.too_long == 1
    assert encode_pairs(pairs, PIECES, PIECES, 100, "truncate").source_lengths.tolist() == [100, 1]


def test_pairs_of_which_none_is_left_are_refused() -> None:
    with pytest.raises(TableError, match=r"of 2 pairs none is left \(1 are empty, 1 longer than max_length=1"):
        encode_pairs(SentencePairs(("", "a b"), ("a", "b")), PIECES, PIECES, 1)


def test_padding() -> None:
    padded, lengths = pad([np.array([5, 6]), np.array([7])])
    assert padded.tolist() == [[5, 6], [7, 0]]
    assert lengths.tolist() == [2, 1]
