"""Pairs of texts from every form, and what is no pair refused with its place."""

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from recurra.data.text import SentencePairs, read_pairs
from recurra.errors import MissingColumnError, TableError

ROWS = [("ein Hund", "a dog"), ("zwei Katzen", "two cats")]
SOURCE, TARGET = zip(*ROWS, strict=True)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def forms(folder: Path) -> dict[str, tuple[Any, Any, tuple[str, str]]]:
    """The same pairs in every form."""
    usual = ("source", "target")
    files = write(folder / "a.de", "\n".join(SOURCE)), write(folder / "a.en", "\n".join(TARGET) + "\n")
    return {
        "two files": (*files, usual),
        "two lists": (SOURCE, list(TARGET), usual),
        "rows": (ROWS, None, usual),
        "a bare TSV": (write(folder / "a.tsv", "ein Hund\ta dog\nzwei Katzen\ttwo cats\n"), None, usual),
        "a TSV with a header": (
            write(folder / "b.tsv", "id\ten\tde\n1\ta dog\tein Hund\n2\ttwo cats\tzwei Katzen\n"),
            None,
            ("de", "en"),
        ),
        "a CSV": (write(folder / "a.csv", "target,source\na dog,ein Hund\ntwo cats,zwei Katzen\n"), None, usual),
        "pandas": (pd.DataFrame({"source": SOURCE, "target": TARGET}), None, usual),
        "polars": (pl.DataFrame({"de": SOURCE, "en": TARGET}), None, ("de", "en")),
        "columns": ({"source": SOURCE, "target": TARGET}, None, usual),
    }


@pytest.mark.parametrize("form", [
    "two files", "two lists", "rows", "a bare TSV", "a TSV with a header", "a CSV", "pandas", "polars", "columns",
])  # fmt: skip
def test_every_form_gives_the_same_pairs(tmp_path: Path, form: str) -> None:
    source, target, columns = forms(tmp_path)[form]
    pairs = read_pairs(source, target, columns)
    assert (pairs.source, pairs.target) == (SOURCE, TARGET)
    assert read_pairs(pairs) is pairs


def test_files_of_unequal_length_say_where_they_part(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a.de", "a\nb\nc\n"), write(tmp_path / "a.en", "a\nb\n")
    with pytest.raises(TableError, match=r"part at line 3: .*a\.en ends after 2 lines, .*a\.de has 3"):
        read_pairs(first, second)
    with pytest.raises(TableError, match="part at line 2: the source ends after 1 lines, the target has 2"):
        read_pairs(["a"], ["b", "c"])


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ([("a", "b"), ("a",)], None, "row 2 is not a pair"),
        (["a", 3], ["b", "c"], "the source, row 2: int"),
        ({"source": ["a", 1.5], "target": ["b", "c"]}, None, "row 2, column 'source': 1.5 is no text"),
        ([], [], "there are no pairs"),
        (3, ["a"], "the source is int"),
    ],
)
def test_what_is_no_pair_is_refused_with_its_row(source: Any, target: Any, said: str) -> None:
    with pytest.raises(TableError, match=said):
        read_pairs(source, target)


def test_a_tsv_with_a_missing_tab_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"line 2: 1 fields where 2 belong"):
        read_pairs(write(tmp_path / "a.tsv", "a\tb\nno tab\n"))


def test_a_tsv_with_a_header_must_name_the_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "deutsch\tenglish\nein Hund\ta dog\n")
    assert read_pairs(path, columns=("english", "deutsch")).source == ("a dog",)
    for columns in (("english", "german"), ("de", "en")):
        with pytest.raises(MissingColumnError, match=r"no column '\w+'; its first line is 'deutsch', 'english'"):
            read_pairs(path, columns=columns)
    with pytest.raises(MissingColumnError, match="no column 'target'"):
        read_pairs(write(tmp_path / "b.tsv", "source\tzieltext\na\tb\n"))


def test_empty_lines_at_the_end_of_a_tsv_hold_no_pairs(tmp_path: Path) -> None:
    pairs = read_pairs(write(tmp_path / "a.tsv", 'target\tsource\n"a\tb\n\tc\n\n\n'))
    assert (pairs.source, pairs.target) == (("b", "c"), ('"a', ""))  # quotes are text
    assert pairs.rows == (2, 3)  # lines of the file
    with pytest.raises(TableError, match="line 2: 1 fields"):
        read_pairs(write(tmp_path / "b.tsv", "a\tb\n\nc\td\n"))


def test_pairs_keep_their_rows_through_a_split() -> None:
    texts = tuple("abcdefgh")
    pairs = SentencePairs(texts, texts)
    for part in pairs.split(0.3, seed=1):
        assert [texts[row - 1] for row in part.lower(source=True, target=True).rows] == list(part.source)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(MissingColumnError, match="no column 'target'; it has 'source'"):
        read_pairs({"source": ["a"]})


def test_a_split_keeps_equal_pairs_together() -> None:
    pairs = SentencePairs(("a", "b", "a", "c", "a") * 4, ("A", "B", "A", "C", "A") * 4)
    first, second = pairs.split(0.34, seed=1)
    assert len(first) + len(second) == len(pairs)
    assert not set(zip(first.source, first.target, strict=True)) & set(zip(second.source, second.target, strict=True))
    assert pairs.split(0.34, seed=1) == (first, second)
    with pytest.raises(TableError, match="1 different pair"):
        SentencePairs(("a", "a"), ("b", "b")).split(0.5, 0)


def test_small_letters_on_either_side() -> None:
    pairs = SentencePairs(("Ein",), ("A",))
    assert pairs.lower(source=True, target=False) == SentencePairs(("ein",), ("A",))
    assert pairs.lower(source=True, target=True) == SentencePairs(("ein",), ("a",))
