"""Storm tracks as HURDAT2 text and as a table."""

from pathlib import Path

import numpy as np
import pytest

from recurra.data.tracks import read_hurdat
from recurra.errors import TableError

TEXT = """AL092021,                IDA,      3,
20210829, 1200,  , HU, 28.5N,  89.6W, 130,  929,
20210829, 1655, L, HU, 29.1N,  90.2W, 130,  931,
20210829, 1800,  , HU, 29.2N, 179.5E, 125, -999,
"""
CSV = """Key,Name,DateTime,Record,Status,Lat,Lon,Wind,Pressure
AL092021,IDA,2021-08-29 12:00:00,,HU,28.5,-89.6,130,929
AL092021,IDA,2021-08-29 16:55:00,L,HU,29.1,-90.2,130,931
AL092021,IDA,2021-08-29 18:00:00,,HU,29.2,-180.5,125,
AL092021,IDA,2021-08-30 00:00:00,,HU,29.2,,125,
"""


@pytest.mark.parametrize(("name", "text"), [("hurdat2.txt", TEXT), ("hurdat.csv", CSV)])
def test_both_kinds_of_file_give_the_same_fixes(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    tracks = read_hurdat(path)
    assert tracks.ids == ("AL092021",)
    assert np.allclose(tracks.position, [[-89.6, 28.5], [179.5, 29.2]])
    assert tracks.elapsed.tolist() == [0.0, 6 * 3600.0]
    assert np.array_equal(tracks.features, [[130, 929], [125, np.nan]], equal_nan=True)
    assert len(read_hurdat(path, synoptic=False)) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("20210829, 1200,  , HU, 28.5N,  89.6W, 130,  929,\n", "line 1: expected a storm's header"),
        (TEXT.replace("28.5N", "28.5"), "line 2: expected a fix"),
        (TEXT.replace("      3,", "      4,"), "lacks 1 of its fixes"),
    ],
)
def test_text_of_another_kind_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(TableError, match=words):
        read_hurdat(path)


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(TableError, match="no column 'Key'"):
        read_hurdat(path)
