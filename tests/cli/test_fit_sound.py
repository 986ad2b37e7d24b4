"""recurra fit --task: the verb with another learner's flags, bad files listed, speakers warned of."""

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

import recurra
from recurra.cli.app import by_task
from recurra.errors import ConfigError
from tests.beeps import RATE, corpus

SMALL = (
    "--hidden-size",
    "4",
    "--max-epochs",
    "1",
    "--num-layers",
    "1",
    "--sample-rate-hz",
    str(RATE),
    "--progress",
    "none",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sounds").mkdir()
    lines = ["path,text,speaker,split"]
    for i, (sound, text) in enumerate(zip(*corpus(9, 31), strict=True)):
        soundfile.write(tmp_path / "sounds" / f"{text.split()[0]}_s{i % 3}_{i}.wav", sound, RATE)
        split = "validation" if i == 0 else "train"
        lines.append(f"sounds/{text.split()[0]}_s{i % 3}_{i}.wav,{text},s{i % 3},{split}")
    (tmp_path / "list.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_recogniser_from_a_manifest(run: Callable, folder: Path) -> None:
    done = run("fit", folder / "list.csv", "--task", "speech", "--out", folder / "m", "--units", "words", *SMALL)
    assert done.code == 0, done.err
    assert "speaker(s) are in the training part and outside it (s0)" in done.err
    assert recurra.load(folder / "m").alphabet_.units == "words"


def test_a_classifier_from_a_folder_with_a_bad_file(run: Callable, folder: Path) -> None:
    (folder / "sounds" / "low_s1_99.wav").touch()
    rule = "{label}_{speaker}_{take}.wav"
    arguments = ("--out", folder / "m", "--rule", rule, "--features", "mfcc", "--validation", "0", *SMALL)
    done = run("fit", "--task=classify", folder / "sounds", *arguments)
    assert done.code == 1
    assert "left out:" in done.err
    assert "low_s1_99.wav is empty" in done.err
    assert recurra.load(folder / "m").features == "mfcc"


def test_settings_from_a_toml_file(run: Callable, folder: Path) -> None:
    (folder / "s.toml").write_text('[speech]\nunits = "words"\nnormalisation = "running"\nbidirectional = false\n')
    done = run(
        "fit", folder / "list.csv", "--task", "speech", "--out", folder / "m", "--config", folder / "s.toml", *SMALL
    )
    assert done.code == 0, done.err
    assert recurra.load(folder / "m").bidirectional is False


def test_the_task_chooses_the_verb() -> None:
    assert by_task(["fit", "a", "--task", "speech", "--out", "b"]) == ["fit-speech", "a", "--out", "b"]
    assert by_task(["fit", "--task=forecast", "a"]) == ["fit", "a"]
    assert by_task(["fit", "a"]) == ["fit", "a"]
    assert by_task(["predict", "--task", "x"]) == ["predict", "--task", "x"]
    with pytest.raises(ConfigError, match="task 'dance' is unknown"):
        by_task(["fit", "--task", "dance"])


def test_no_alphabet_is_that_of_the_texts(run: Callable, folder: Path) -> None:
    arguments = ("--task", "speech", "--out", folder / "m", "--units", "words", "--alphabet", "none", *SMALL)
    assert run("fit", folder / "list.csv", *arguments).code == 0
    assert recurra.load(folder / "m").alphabet is None
