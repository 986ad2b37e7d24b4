"""The text files of pedestrian recordings."""

from pathlib import Path

import pytest

from recurra.data.tracks import read_pedestrians
from recurra.errors import TableError


def test_a_file_is_a_scene_and_its_people_are_named_after_it(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("780\t1.0\t8.46\t3.59\n790\t1.0\t9.57\t3.79\n")
    two.write_text("0 1 0 0\n10 1 1 0\n0 2.0 5 5\n")
    tracks = read_pedestrians([one, two])
    assert tracks.ids == ("one/1", "two/1", "two/2")
    assert tracks.scene.tolist() == [0, 0, 1, 1, 1]
    assert tracks.elapsed[1] == pytest.approx(0.4)


@pytest.mark.parametrize("text", ["1 2 3\n", "1 2 x 4\n", "0 1 nan 0\n", ""])
def test_a_line_that_is_not_four_numbers_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(TableError, match="frame, id, x and y"):
        read_pedestrians([path])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be read"):
        read_pedestrians([tmp_path / "none.txt"])
    with pytest.raises(TableError, match="at least one file"):
        read_pedestrians([])
