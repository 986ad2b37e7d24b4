"""recurra transcribe: files, bad files among them, JSON, and raw sound from standard input."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.beeps import RATE, corpus, recognizer


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spoken")
    recognizer().save(folder / "model")
    for i, sound in enumerate(corpus(2, 21)[0]):
        soundfile.write(folder / f"{i}.flac", sound, RATE)
    (folder / "bad.wav").touch()
    return folder


def test_files_become_lines(run: Callable, spoken: Path) -> None:
    """Expected: what the learner says of the same files."""
    files = [spoken / "0.flac", spoken / "1.flac"]
    done = run("transcribe", *files, "--model", spoken / "model")
    wanted = recognizer().predict(files)
    assert done.code == 0
    assert done.out.splitlines() == [f"{file}\t{text}" for file, text in zip(files, wanted, strict=True)]


def test_a_bad_file_is_listed_at_the_end(run: Callable, spoken: Path) -> None:
    done = run("transcribe", spoken / "bad.wav", spoken / "0.flac", "--model", spoken / "model")
    assert done.code == 1
    assert len(done.out.splitlines()) == 1
    assert "not transcribed" in done.err
    assert "bad.wav is empty" in done.err


def test_json_and_words(run: Callable, spoken: Path) -> None:
    done = run("transcribe", spoken / "0.flac", "--model", spoken / "model", "--json", "--beam", "4")
    answer = json.loads(done.out)
    assert answer["text"] == " ".join(word["text"] for word in answer["words"])
    lines = run("transcribe", spoken / "0.flac", "--model", spoken / "model", "--words").out.splitlines()
    assert len(lines) == 1 + len(lines[0].split("\t")[1].split())


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def put(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))  # type: ignore[arg-type]

    return put


def test_raw_sound_is_answered_live(run: Callable, spoken: Path, pipe: Callable) -> None:
    """Expected: the offline texts of two utterances that a second of silence parts; half a sample is left."""
    X, _ = corpus(2, 22)
    quiet = (0.003 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    sound = np.concatenate([X[0], quiet, X[1], quiet])
    pipe((sound * 32767).astype("<i2").tobytes() + b"\x01")
    done = run("transcribe", "--live", "-", "--model", spoken / "model", "--json", "--silence", "0.5")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0
    assert [event["text"] for event in events if event["event"] == "utterance"] == recognizer().predict(X)
    assert any(event["event"] == "partial" and event["text"] for event in events)
    pipe((sound * 32767).astype("<i2").tobytes())
    plain = run("transcribe", "--live", "-", "--model", spoken / "model", "--silence", "0.5")
    assert plain.out.splitlines() == recognizer().predict(X)


def test_another_rate_is_refused(run: Callable, spoken: Path, pipe: Callable) -> None:
    pipe(b"")
    done = run("transcribe", "--live", "-", "--model", spoken / "model", "--rate", "16000")
    assert done.code == 2
    assert "16000 samples a second" in done.err


@pytest.mark.parametrize("arguments", [("--live", "a.wav"), ("-",)])
def test_live_and_the_dash_belong_together(arguments: tuple[str, ...], run: Callable, spoken: Path) -> None:
    done = run("transcribe", *arguments, "--model", spoken / "model")
    assert done.code == 2
    assert "--live -" in done.err


def test_an_unknown_option_is_no_file(run: Callable, spoken: Path) -> None:
    done = run("transcribe", "a.wav", "--loud", "--model", spoken / "model")
    assert done.code == 2
    assert "Unknown option: --loud" in done.err


def test_a_model_that_writes_no_texts_is_refused(run: Callable, model: Path, tmp_path: Path) -> None:
    done = run("transcribe", "a.wav", "--model", model)
    assert done.code == 2
    assert "holds a Forecaster" in done.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--rate", "8000"), "--rate has no effect without --live"),
        (("--silence", "1"), "--silence has no effect without --live"),
        (("--beam", "4", "--language-weight", "1"), "--language-weight has no effect without --language-model"),
        (("--beam", "4", "--closed-vocabulary"), "give a language_model"),
    ],
)
def test_options_without_effect_are_refused(arguments: tuple[str, ...], why: str, run: Callable, spoken: Path) -> None:
    done = run("transcribe", spoken / "0.flac", "--model", spoken / "model", *arguments)
    assert done.code == 2
    assert why in done.err


def test_raw_and_odd_files_do_not_end_a_run(run: Callable, spoken: Path) -> None:
    (spoken / "a.raw").write_bytes(bytes(4000))
    done = run("transcribe", spoken / "a.raw", "x" * 300, spoken / "0.flac", "--model", spoken / "model")
    assert done.code == 1
    assert len(done.out.splitlines()) == 1
    assert done.err.count("not transcribed") == 2


def test_a_sound_file_is_not_heard_as_raw_sound(run: Callable, spoken: Path, pipe: Callable) -> None:
    pipe((spoken / "0.flac").read_bytes())
    done = run("transcribe", "--live", "-", "--model", spoken / "model")
    assert done.code == 2
    assert "standard input is a flac file" in done.err
