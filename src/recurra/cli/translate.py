"""recurra translate: one text a line in, one answer a line out, as soon as lines come."""

import io
import os
import select
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import print_json, say
from recurra.cli.app import FAILED, OK
from recurra.errors import ConfigError, MissingExtraError, TableError

CHUNK_BYTES = 1 << 16
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def translate(
    models: list[Path],
    /,
    *,
    reference: Path | None = None,
    beam: int | None = None,
    nbest: int = 1,
    alignment: bool = False,
    prefix: str = "",
    length_penalty: float | None = None,
    coverage_penalty: float | None = None,
    no_repeat: int | None = None,
    max_ratio: float | None = None,
    max_extra: int | None = None,
    sample: bool = False,
    temperature: float | None = None,
    top_k: int | None = None,
    seed: int | None = None,
    at_once: int = 256,
    common: Common = NO_FLAGS,
) -> int:
    """Translate the lines of standard input to standard output.

    Args:
        models: Folder of a model that `recurra fit --task translation` saved; several of one vocabulary answer
            together, their probabilities averaged.
        reference: File with the right answers, line for line: the answers' scores are said at the end.
        beam: Hypotheses that are followed at once; the model's own setting if not given.
        nbest: Answers to each line, written as NUMBER ||| ANSWER ||| SCORE, lines counted from 0.
        alignment: Add a tab and the alignment: pairs of word numbers, source-target.
        prefix: What every answer must begin with; its last word may be unfinished.
        length_penalty: How much longer answers are favoured; the model's own setting if not given.
        coverage_penalty: How much answers that skip parts of the source lose; the model's own if not given.
        no_repeat: No run of so many pieces twice in an answer; the model's own setting if not given.
        max_ratio: Pieces of an answer at most: this many for each piece of the line, and --max-extra more.
        max_extra: See --max-ratio.
        sample: Draw the answers at random.
        temperature: Of the draws: below 1 sharper, above 1 flatter.
        top_k: Draw from the so many likeliest pieces only; 0 for all.
        seed: Of the draws, which depend on it and on the number of a line alone.
        at_once: Lines translated together at most; fewer when no more are waiting.
        common: Flags that every verb has.
    """
    if at_once < 1 or nbest < 1:
        raise ConfigError("--at-once and --nbest must be at least 1")
    if sys.stdin is None:
        raise ConfigError("standard input is closed; pipe the lines in, or end them with Ctrl-D")
    learner = _load(models)
    asked = {
        "beam": beam, "length_penalty": length_penalty, "coverage_penalty": coverage_penalty, "no_repeat": no_repeat,
        "max_ratio": max_ratio, "max_extra": max_extra, "temperature": temperature, "top_k": top_k, "seed": seed,
    }  # fmt: skip
    decoding: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    decoding |= {"n_best": nbest, "sample": sample}
    learner.options(**decoding)
    right = None if reference is None else _references(reference)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as the lines that are read
    log = _Log(kept=right is not None)
    for lines in waiting_lines(sys.stdin.fileno(), at_once):
        first = log.lines
        texts = [_text(line, first + at + 1) for at, line in enumerate(lines)]
        begins = [prefix] * len(texts) if prefix else None
        found = learner.hypotheses([text or "" for text in texts], begins, first=first, **decoding)
        for text, answers in zip(texts, found, strict=True):
            write(log.lines, text, answers, nbest, alignment, common)
            log.note(text, answers)
        sys.stdout.flush()
    log.tell()
    if right is not None:
        _score(log, right, str(reference), common)
    return FAILED if log.bad else OK


@dataclass
class _Log:
    """What became of the lines so far.

    Attributes:
        kept: whether sources and answers are kept, to be scored.
        lines: how many there were.
        sources: the lines, "" for those that could not be read.
        answers: the best answer to each.
        bad: lines that could not be read.
        cut: lines that were longer than the model takes.
        unknown: pieces of the lines that the model has never seen.
    """

    kept: bool
    lines: int = 0
    sources: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    bad: int = 0
    cut: int = 0
    unknown: int = 0

    def note(self, text: str | None, answers: list[Any]) -> None:
        """One line more."""
        self.lines += 1
        if self.kept:
            self.sources.append(text or "")
            self.answers.append(answers[0].text if answers else "")
        self.bad += text is None
        self.cut += bool(answers) and answers[0].truncated
        self.unknown += answers[0].unknown if answers else 0

    def tell(self) -> None:
        """Say what the person at the terminal should know."""
        for count, what in (
            (self.cut, "lines were cut to the model's longest"),
            (self.unknown, "pieces were new to the model"),
        ):
            if count:
                say(f"recurra: {count} {what}")


def _load(models: list[Path]) -> Any:
    """The translator of a folder, or of several together."""
    import recurra
    from recurra.learners import Translator

    loaded = [recurra.load(model) for model in models]
    for model, learner in zip(models, loaded, strict=True):
        if not isinstance(learner, Translator):
            raise ConfigError(f"{model} is no translator but a {type(learner).__name__}; use its own verbs")
    return loaded[0] if len(loaded) == 1 else Translator.ensemble(loaded)


def _references(path: Path) -> list[str]:
    """The right answers; refused before any work where they could not be compared."""
    from importlib.util import find_spec

    from recurra.data.text import read_lines

    if find_spec("sacrebleu") is None:
        raise MissingExtraError("scores need sacrebleu; install it with: pip install 'recurra[translation]'")
    return read_lines(path)


def _score(log: _Log, right: list[str], place: str, common: Common) -> None:
    """Say the scores of the answers beside those of the lines themselves, with sacrebleu's signatures."""
    from recurra.data.text import SentencePairs
    from recurra.evaluation import score_translations

    if len(right) != log.lines:
        raise TableError(
            f"standard input had {log.lines} lines, {place} has {len(right)}; scores need one reference a line"
        )
    if not right:
        raise TableError(f"{place}: there are no lines; nothing can be scored")
    report = score_translations(log.answers, SentencePairs(tuple(log.sources), tuple(right), place))
    if common.json:
        print_json({"scores": report.to_dict()})
    else:
        say(str(report))


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

    content = line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
    try:
        return decode_line(content, number, "standard input")
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
