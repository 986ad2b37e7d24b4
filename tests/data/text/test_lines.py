"""Lines of text files: what ends a line, and what is refused with its place."""

import gzip
from pathlib import Path

import pytest

from recurra.data.text import decode_line, read_lines
from recurra.errors import TableError


def test_a_line_ends_at_a_line_feed_and_nowhere_else(tmp_path: Path) -> None:
    # expected: U+2028, a form feed and a lone carriage return are text, as other tools count lines
    (tmp_path / "a.txt").write_bytes("\ufeffone\u2028still one\r\ntwo\x0c\n\nfour\rfour".encode())
    assert read_lines(tmp_path / "a.txt") == ["one\u2028still one", "two\x0c", "", "four\rfour"]


def test_packed_lines_are_unpacked(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    assert read_lines(tmp_path / "a.gz") == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", "gut\nsch\u00f6n\n".encode("latin-1"), r"line 2: not UTF-8 \(.*byte 4 of the line\).*iconv"),
        ("a.gz", b"not packed", "not a whole gzip file"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=said):
        read_lines(tmp_path / name)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="there is no such file"):
        read_lines(tmp_path / "none")
    with pytest.raises(TableError, match="is a folder"):
        read_lines(tmp_path)


def test_a_line_alone_is_read_alike() -> None:
    assert decode_line(b"one\r", 1, "here") == "one"
    with pytest.raises(TableError, match="here, line 7"):
        decode_line(b"\xff", 7, "here")
