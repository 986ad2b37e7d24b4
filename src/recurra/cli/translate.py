"""recurra translate: one text a line in, one answer a line out, as soon as lines come."""

import os
import select
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import print_json, say
from recurra.cli.app import FAILED, OK
from recurra.errors import ConfigError, TableError

CHUNK_BYTES = 1 << 16


def translate(
    model: Path,
    /,
    *,
    beam: int | None = None,
    nbest: int = 1,
    alignment: bool = False,
    prefix: str = "",
    length_penalty: float | None = None,
    coverage_penalty: float | None = None,
    no_repeat: int | None = None,
    sample: bool = False,
    temperature: float = 1.0,
    seed: int = 0,
    at_once: int = 256,
    common: Common = NO_FLAGS,
) -> int:
    """Translate the lines of standard input to standard output.

    Args:
        model: Folder of a model that `recurra fit --task translation` saved.
        beam: Hypotheses that are followed at once; the model's own setting if not given.
        nbest: Answers to each line, written as NUMBER ||| ANSWER ||| SCORE, lines counted from 0.
        alignment: Add a tab and the alignment: pairs of word numbers, source-target.
        prefix: What every answer must begin with; its last word may be unfinished.
        length_penalty: How much longer answers are favoured; the model's own setting if not given.
        coverage_penalty: How much answers that skip parts of the source lose; the model's own if not given.
        no_repeat: No run of so many pieces twice in an answer; the model's own setting if not given.
        sample: Draw the answers at random.
        temperature: Of the draws.
        seed: Of the draws.
        at_once: Lines translated together at most; fewer when no more are waiting.
        common: Flags that every verb has.
    """
    import recurra
    from recurra.learners import Translator

    if at_once < 1 or nbest < 1:
        raise ConfigError("--at-once and --nbest must be at least 1")
    learner = recurra.load(model)
    if not isinstance(learner, Translator):
        raise ConfigError(f"{model} is no translator but a {type(learner).__name__}; use its own verbs")
    own = {"beam": beam, "length_penalty": length_penalty, "coverage_penalty": coverage_penalty, "no_repeat": no_repeat}
    decoding: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
    decoding |= {"n_best": nbest, "sample": sample, "temperature": temperature, "seed": seed}
    learner.options(**decoding)
    number = bad = cut = unknown = 0
    for lines in waiting_lines(sys.stdin.fileno(), at_once):
        texts = [_text(line, number + at + 1) for at, line in enumerate(lines)]
        bad += texts.count(None)
        found = learner.hypotheses(
            [text or "" for text in texts], [prefix] * len(texts) if prefix else None, **decoding
        )
        for text, answers in zip(texts, found, strict=True):
            write(number, text, answers, nbest, alignment, common)
            cut += bool(answers) and answers[0].truncated
            unknown += answers[0].unknown if answers else 0
            number += 1
        sys.stdout.flush()
    for count, what in (
        (cut, "lines were cut to the model's longest"),
        (unknown, "pieces were new to the model"),
    ):
        if count:
            say(f"recurra: {count} {what}")
    return FAILED if bad else OK


def waiting_lines(descriptor: int, at_once: int) -> Iterator[list[bytes]]:
    """Lines as they come: as many as are waiting, `at_once` at most, and never an idle one held back.

    Args:
        descriptor: of the file to read.
        at_once: lines given out together at most.
    """
    rest, lines = b"", []
    while True:
        chunk = os.read(descriptor, CHUNK_BYTES)
        *whole, rest = (rest + chunk).split(b"\n")
        lines += whole
        if not chunk and rest:
            lines.append(rest)
        while len(lines) >= at_once or (lines and not _more_is_waiting(descriptor, chunk)):
            yield lines[:at_once]
            lines = lines[at_once:]
        if not chunk:
            return


def _more_is_waiting(descriptor: int, chunk: bytes) -> bool:
    return bool(chunk) and bool(select.select([descriptor], [], [], 0)[0])


def _text(line: bytes, number: int) -> str | None:
    """The line as text; None, and a word to the person at the terminal, if it is not UTF-8."""
    from recurra.data.text import decode_line

    try:
        return decode_line(line, number, "standard input")
    except TableError as error:
        say(f"recurra: {error}; the line is answered by an empty one")
        return None


def write(number: int, text: str | None, answers: list[Any], nbest: int, alignment: bool, common: Common) -> None:
    """The answers to one line.

    Args:
        number: of the line, from 0.
        text: the line; None if it could not be read.
        answers: the best first.
        nbest: how many were asked for.
        alignment: whether the words behind the words are asked for.
        common: flags that every verb has.
    """
    if common.json:
        rows = [
            {"text": each.text, "score": each.score, **({"alignment": each.alignment} if alignment else {})}
            for each in answers
        ]
        print_json({"line": number + 1, "source": text, "answers": rows})
        return
    shown = [_one_line(each.text) + (f"\t{pharaoh(each.alignment)}" if alignment else "") for each in answers]
    if nbest == 1:
        print(shown[0] if shown else "")
        return
    for line, each in zip(shown, answers, strict=True):
        print(f"{number} ||| {line} ||| {each.score:.4f}")
    if not shown:
        print(f"{number} |||  ||| 0.0000")


def pharaoh(alignment: tuple[tuple[int, int], ...]) -> str:
    """Pairs of word numbers as they are usually written: 0-0 1-2."""
    return " ".join(f"{source}-{target}" for source, target in alignment)


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
