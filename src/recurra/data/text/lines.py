"""Lines of text files: UTF-8, plain or gzip-packed; a line ends at a line feed and nowhere else."""

import gzip
import zlib
from os import PathLike
from pathlib import Path

from recurra.errors import TableError


def read_lines(path: str | PathLike[str]) -> list[str]:
    """The lines of a text file, without their ends.

    Args:
        path: UTF-8 text, packed with gzip if its name ends in .gz; a byte order mark is passed over.

    Raises:
        TableError: there is no such file, it is a folder, no whole gzip file, or not UTF-8: the line is named.
    """
    place = Path(path)
    if place.is_dir():
        raise TableError(f"{path} is a folder; give the path of a text file")
    try:
        content = place.read_bytes()
        if place.name.lower().endswith(".gz"):
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise TableError(f"{path}: there is no such file; check the path") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TableError(f"{path} is not a whole gzip file ({error}); fetch or pack it again") from error
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror or error}") from error
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [decode_line(line, number, str(path)) for number, line in enumerate(lines, start=1)]


def decode_line(line: bytes, number: int, place: str) -> str:
    """One line as text, without a carriage return at its end.

    Args:
        line: its bytes.
        number: which line it is, from 1.
        place: where it comes from, for the message.

    Raises:
        TableError: it is not UTF-8.
    """
    try:
        return line.decode("utf-8").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise TableError(
            f"{place}, line {number}: not UTF-8 ({error.reason} at byte {error.start + 1} of the line); "
            "save the file as UTF-8, such as with iconv -f LATIN1 -t UTF-8"
        ) from None
