"""ARPA files: back-off by hand, the file that comes with AN4, and files that are none."""

import math
from pathlib import Path

import pytest

from recurra.decoding import read_arpa
from recurra.errors import TableError

ARPA = """a preamble that mentions \\data\\ and
\\1-grams:
\\data\\
ngram 1=4
ngram 2=2

\\1-grams:
-1.0 <unk> 0.0
-99 <s> -0.5
-2.0 </s>
-0.3 yes -0.25

\\2-grams:
-0.1 <s> yes
-0.2 yes </s>

\\end\\
"""


def test_backing_off_by_hand(tmp_path: Path) -> None:
    """Expected: listed bigrams as they are, others as back-off plus unigram, in natural logarithms."""
    (tmp_path / "a.lm").write_text(ARPA)
    model = read_arpa(tmp_path / "a.lm")
    assert model.order == 2
    assert model.words == {"yes"}
    log10 = {
        ("yes", ("<s>",)): -0.1,
        ("yes", ("yes",)): -0.25 - 0.3,
        ("never", ("yes",)): -0.25 - 1.0,
        ("yes", ()): -0.3,
    }
    for (word, before), wanted in log10.items():
        assert model.log_probability(word, before) == pytest.approx(wanted * math.log(10))
    assert model.log_probability("<s>") == -math.inf


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("\\data\\\n", "data\n"), "not an ARPA file"),
        (("\\end\\", ""), "not whole"),
        (("ngram 1=4", "ngram 1=5"), "not whole"),
        (("-0.1 <s> yes", "much <s> yes"), "line 14"),
        (("-0.1 <s> yes", "-0.1 <s>"), "line 14"),
        (("-0.1 <s> yes", "nan <s> yes"), "line 14"),
        (("ngram 2=2", "ngrams total 5"), r"line 5: expected a line such as ngram 1=20"),
        (("\\2-grams", "\\x-grams"), "line 13"),
    ],
)
def test_damaged_files_are_refused(change: tuple[str, str], why: str, tmp_path: Path) -> None:
    (tmp_path / "a.lm").write_text(ARPA.replace(*change))
    with pytest.raises(TableError, match=why):
        read_arpa(tmp_path / "a.lm")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be read"):
        read_arpa(tmp_path / "gone.lm")


def test_the_order_is_that_of_the_longest_n_gram(tmp_path: Path) -> None:
    (tmp_path / "a.lm").write_text(ARPA.replace("ngram 1=4\nngram 2=2\n", ""))
    assert read_arpa(tmp_path / "a.lm").order == 2
