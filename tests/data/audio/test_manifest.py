"""Manifests and folders: what is read, and what is refused with row, column or file."""

from pathlib import Path

import pytest

from recurra.data.audio.manifest import Utterances, read_folder, read_manifest
from recurra.errors import AudioError, ConfigError, MissingColumnError, TableError


def test_a_table_gives_paths_beside_itself(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path,text,speaker,split\na.wav,one two,7,train\nb/c.wav,three,8,test\n")
    found = read_manifest(tmp_path / "list.csv")
    assert found.inputs == (tmp_path / "a.wav", tmp_path / "b/c.wav")
    assert found.targets == ("one two", "three")
    assert found.speakers == ("7", "8")
    assert found.of_split("test").targets == ("three",)


def test_a_table_in_memory_will_do() -> None:
    found = read_manifest({"path": ["a.wav"], "label": [3]})
    assert (found.targets, found.speakers, found.splits) == (("3",), None, None)
    assert found.of_split("train") is found


@pytest.mark.parametrize(
    ("columns", "error", "why"),
    [
        ({"text": ["a"]}, MissingColumnError, "no column path"),
        ({"path": ["a"]}, MissingColumnError, "text or label"),
        ({"path": ["a", ""], "text": ["a", "b"]}, TableError, "row 2, column 'path'"),
        ({"path": ["a"], "text": ["a"], "split": ["dev"]}, TableError, "row 1, column 'split': 'dev'"),
    ],
)
def test_wrong_tables_are_refused(columns: dict, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        read_manifest(columns)


def test_a_folder_is_read_by_its_rule(tmp_path: Path) -> None:
    for name in ("3_ann_0.wav", "4_bob_1.wav", "notes.txt"):
        (tmp_path / name).touch()
    found = read_folder(tmp_path, "{label}_{speaker}_{take}.wav")
    assert found.targets == ("3", "4")
    assert found.speakers == ("ann", "bob")
    assert found.inputs[0] == tmp_path / "3_ann_0.wav"


def test_folders_in_the_rule(tmp_path: Path) -> None:
    (tmp_path / "train" / "ann").mkdir(parents=True)
    (tmp_path / "train" / "ann" / "one two.flac").touch()
    found = read_folder(tmp_path, "{split}/{speaker}/{text}.flac")
    assert (found.targets, found.speakers, found.splits) == (("one two",), ("ann",), ("train",))


def test_a_file_that_breaks_the_rule_is_named(tmp_path: Path) -> None:
    (tmp_path / "3_ann_0.wav").touch()
    (tmp_path / "odd.wav").touch()
    with pytest.raises(AudioError, match=r"odd.wav is not named .* \(1 of 2 files"):
        read_folder(tmp_path, "{label}_{speaker}_{take}.wav")


def test_wrong_rules_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no such folder"):
        read_folder(tmp_path / "gone", "{label}.wav")
    with pytest.raises(AudioError, match="holds no"):
        read_folder(tmp_path, "{label}.wav")
    for rule in ("{speaker}.wav", "{label}_{label}.wav"):
        with pytest.raises(ConfigError, match="must name"):
            read_folder(tmp_path, rule)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(TableError, match="2 inputs, but 1 targets"):
        Utterances((1, 2), ("a",))
