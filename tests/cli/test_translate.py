"""recurra fit --task translation and recurra translate: lines in, lines out, in their places."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import recurra
from recurra.cli.translate import waiting_lines
from recurra.training.translation import TranslationTask
from tests.learners.translations import QUICK, reversed_rows

Run = Callable[..., Any]
FLAGS = [part for name, value in QUICK.items() for part in (f"--{name.replace('_', '-')}", value)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a.txt and b.txt, letters and the same backwards."""
    folder = tmp_path_factory.mktemp("pairs")
    for name, lines in zip(("a.txt", "b.txt"), zip(*reversed_rows(1200), strict=True), strict=True):
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved translator that writes backwards."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    recurra.Translator(**QUICK).fit(reversed_rows(1200)).save(folder)
    return folder


@contextmanager
def piped(content: bytes) -> Iterator[None]:
    """Standard input as a pipe with this content."""
    out, into = os.pipe()
    os.write(into, content)
    os.close(into)
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(os.fdopen(out, "rb"))
    try:
        yield
    finally:
        sys.stdin.close()
        sys.stdin = before


def test_a_translator_is_trained_goes_on_and_is_saved(run: Run, files: Path, tmp_path: Path) -> None:
    pairs = ("--source", files / "a.txt", "--target", files / "b.txt")
    flags = [*FLAGS[:-1], 1]  # one epoch
    found = run("fit", "--task", "translation", *pairs, "--out", tmp_path / "m", *flags, "--resume", tmp_path / "r")
    assert found.code == 0
    assert found.out.startswith(f"saved {tmp_path / 'm'} (")
    first = recurra.load(tmp_path / "m")
    assert f"training: {first.reports_['training']}\n" in found.err
    assert first.reports_["training"].kept + first.reports_["validation"].kept == 1200
    assert first.hidden_size == QUICK["hidden_size"]
    more = ("--continue-from", tmp_path / "m", "--max-epochs", 1)
    again = run("fit", *pairs, "--out", tmp_path / "n", "--task=translation", *more, "--json")
    assert again.code == 0
    assert json.loads(again.out)["model_hash"] == recurra.load(tmp_path / "n").model_hash_
    losses = [recurra.load(tmp_path / name).history_.best_loss for name in ("m", "n")]
    assert losses[1] < losses[0]


def test_a_run_that_was_broken_off_says_how_it_goes_on(
    run: Run, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Expected: the model of a run that was not broken off."""
    pairs = ("--task", "translation", "--source", files / "a.txt", "--target", files / "b.txt")
    flags = [*FLAGS[:-1], 2, "--average", 2]  # two epochs
    batches = TranslationTask.batches

    def interrupted(self: TranslationTask, epoch: int) -> Any:
        if epoch == 2:
            raise KeyboardInterrupt
        return batches(self, epoch)

    resumed = ("--out", tmp_path / "m", "--resume", tmp_path / "r")
    with monkeypatch.context() as patched:
        patched.setattr(TranslationTask, "batches", interrupted)
        found = run("fit", *pairs, *flags, *resumed)
    assert found.code == 130
    assert f"{tmp_path / 'r'} keeps the run; it goes on with the same command and --overwrite" in found.err
    assert run("fit", *pairs, *flags, *resumed, "--overwrite").code == 0
    assert run("fit", *pairs, *flags, "--out", tmp_path / "whole").code == 0
    assert recurra.load(tmp_path / "m").model_hash_ == recurra.load(tmp_path / "whole").model_hash_


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--task", "juggling"], "task 'juggling' is unknown; choose from forecast"),
        (["--task", "translation", "--source", "none.txt", "--target", "none.txt"], "none.txt: there is no such file"),
        (["--task", "translation", "--source", "{a}", "--target", "{b}", "--validation-target", "x"], "needs --valid"),
        (["--task", "translation", "--source", "{a}", "--target", "{b}", "--hidden-size", "7"], "must be even"),
    ],
)
def test_wrong_usage_is_code_2_and_one_line(
    run: Run, files: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    given = [part.format(a=files / "a.txt", b=files / "b.txt") for part in arguments]
    found = run("fit", *given, "--out", tmp_path / "m")
    assert found.code == 2
    assert said in found.err
    assert found.err.count("\n") == 1


def test_files_of_unequal_length_say_where_they_part(run: Run, files: Path, tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("a\n")
    pairs = ("--source", files / "a.txt", "--target", tmp_path / "short.txt")
    found = run("fit", "--task", "translation", *pairs, "--out", tmp_path / "m")
    assert found.code == 2
    assert "part at line 2" in found.err


def test_every_line_is_answered_in_its_place(run: Run, translator: Path) -> None:
    with piped(b"a b c\n\n\xff\xfe\nd c Z\na b c"):
        found = run("translate", translator)
    lines = found.out.split("\n")
    assert (lines[0], lines[1], lines[2], lines[4]) == ("c b a", "", "", "c b a")
    assert len(lines) == 6
    assert found.code == 1  # a line could not be read
    assert "standard input, line 3: not UTF-8" in found.err
    assert "1 pieces were new to the model" in found.err


def test_n_best_and_alignment(run: Run, translator: Path) -> None:
    with piped(b"a b\n\nc\n"):
        rows = run("translate", translator, "--nbest", 2, "--alignment").out.splitlines()
    assert rows[0].startswith("0 ||| b a\t1-0 0-1 ||| -")
    assert [row.partition(" ")[0] for row in rows] == ["0", "0", "1", "2", "2"]
    with piped(b"a b c\n"):
        assert run("translate", translator, "--prefix", "c a").out.startswith("c a")
    with piped(b"a b\n"):
        assert run("translate", translator, "--alignment").out == "b a\t1-0 0-1\n"
    with piped(b"a b\n"):
        answer = json.loads(run("translate", translator, "--json", "--beam", 3).out)
    assert (answer["line"], answer["source"], answer["answers"][0]["text"]) == (1, "a b", "b a")


def test_another_kind_of_model_is_refused(run: Run, model: Path, files: Path, tmp_path: Path) -> None:
    pairs = ("--source", files / "a.txt", "--target", files / "b.txt", "--out", tmp_path / "m")
    for found in (
        run("translate", model),
        run("fit", "--task", "translation", *pairs, "--continue-from", model),
    ):
        assert found.code == 2
        assert "is no translator but a Forecaster" in found.err


def test_answers_are_scored_against_references(run: Run, translator: Path, tmp_path: Path) -> None:
    (tmp_path / "right.txt").write_text("c b a\n\nc d\ne e\n")
    with piped(b"a b c\n\nd c\ne f"):
        found = run("translate", translator, "--reference", tmp_path / "right.txt")
    assert found.code == 0
    assert found.out == "c b a\n\nc d\nf e\n"
    assert "| right to the letter | 75.0 % | 25.0 % |" in found.err  # by hand; copied, the empty line is right
    assert "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:" in found.err
    with piped(b"a b c\n\nd c\ne f\n"):
        answers = run("translate", translator, "--reference", tmp_path / "right.txt", "--json").out.splitlines()
    assert json.loads(answers[-1])["scores"]["right"] == 0.75
    assert len(answers) == 5
    with piped(b"a b c\n"):
        found = run("translate", translator, "--reference", tmp_path / "right.txt")
    assert (found.code, found.out) == (2, "c b a\n")
    assert "standard input had 1 lines" in found.err


def test_several_models_answer_together(run: Run, translator: Path, tmp_path: Path) -> None:
    recurra.Translator(**{**QUICK, "max_epochs": 1}, seed=1).fit(reversed_rows(1200)).save(tmp_path / "other")
    both = recurra.Translator.ensemble([recurra.load(translator), recurra.load(tmp_path / "other")])
    expected = both.hypotheses(["a b c d"], n_best=2)[0]
    with piped(b"a b c d\n"):
        found = run("translate", translator, tmp_path / "other", "--nbest", 2)
    assert found.out == "".join(f"0 ||| {each.text} ||| {each.score:.4f}\n" for each in expected)
    assert run("translate").code == 2


def test_draws_do_not_depend_on_how_lines_arrive(run: Run, translator: Path) -> None:
    outputs = set()
    for at_once in (1, 2, 256):
        with piped(b"a b c\nd e\na b c\n"):
            draws = ("--sample", "--seed", 3, "--temperature", 3, "--top-k", 6)
            outputs.add(run("translate", translator, *draws, "--at-once", at_once).out)
    assert len(outputs) == 1
    with piped(b"a\n"):
        found = run("translate", translator, "--temperature", 2)
    assert found.code == 2
    assert "temperature has no effect" in found.err


def test_a_closed_standard_input_is_said(run: Run, translator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    found = run("translate", translator)
    assert found.code == 2
    assert "standard input is closed" in found.err


def test_a_byte_order_mark_is_passed_over(run: Run, translator: Path) -> None:
    with piped(b"\xef\xbb\xbfa b\r\nb a\r\n"):
        found = run("translate", translator)
    assert (found.out, found.err) == ("b a\na b\n", "")


def test_a_line_that_comes_alone_is_not_held_back() -> None:
    out, into = os.pipe()
    lines = waiting_lines(out, at_once=10)
    os.write(into, b"one\ntwo\nthr")
    assert next(lines) == [b"one", b"two"]
    os.write(into, b"ee\nfo")
    assert next(lines) == [b"three"]
    os.write(into, b"ur")
    os.close(into)
    assert next(lines) == [b"four"]
    assert list(lines) == []
    os.close(out)


def test_at_most_so_many_lines_are_taken_at_once() -> None:
    out, into = os.pipe()
    os.write(into, b"1\n2\n3\n4\n5\n")
    os.close(into)
    assert [len(lines) for lines in waiting_lines(out, at_once=2)] == [2, 2, 1]
    os.close(out)
