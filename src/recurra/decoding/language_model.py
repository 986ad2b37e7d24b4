"""Which word follows: an n-gram language model from an ARPA file, with Katz's back-off."""

import functools
import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from recurra.errors import TableError

LN10 = math.log(10.0)
BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"
NEVER = -99.0


class NGramModel:
    """log P(word | words before), natural logarithm.

        P(w | h) = p(h w) if that n-gram is listed, else backoff(h) P(w | h without its first word)   (Katz 1987)

    Args:
        grams: n-gram -> (log10 probability, log10 back-off weight).
        order: longest n-gram.

    Attributes:
        words: its words, without those for beginning, end and unknown.
        floor: a tenth of its rarest word's probability, natural logarithm: what a search gives a word that has none.
    """

    def __init__(self, grams: Mapping[tuple[str, ...], tuple[float, float]], order: int) -> None:
        self._grams, self.order = grams, order
        self.words = frozenset(
            gram[0] for gram in grams if len(gram) == 1 and gram[0].lower() not in (BEGIN, END, UNKNOWN)
        )
        scores = [grams[(word,)][0] for word in self.words]
        self.floor = (min((s for s in scores if s > NEVER), default=0.0) - 1.0) * LN10

    @functools.cached_property
    def beginnings(self) -> frozenset[str]:
        """The beginnings of all words, from none of their letters to all."""
        return frozenset(word[:n] for word in self.words for n in range(len(word) + 1))

    def log_probability(self, word: str, before: Sequence[str] = ()) -> float:
        """Natural logarithm of P(word | before); minus infinity for a word that has no probability.

        Args:
            word: a word, or "</s>" for the end.
            before: the words before it, from "<s>" on; the last order - 1 of them count.
        """
        return self._log10(self._known(word), tuple(self._known(w) for w in before)) * LN10

    def _log10(self, word: str, before: tuple[str, ...]) -> float:
        history = before[-(self.order - 1) :] if self.order > 1 else ()
        backoff = 0.0
        while True:
            found = self._grams.get((*history, word))
            if found is not None:
                return backoff + found[0] if found[0] > NEVER else -math.inf
            if not history:
                return -math.inf
            backoff += self._grams.get(history, (0.0, 0.0))[1]
            history = history[1:]

    def _known(self, word: str) -> str:
        if (word,) in self._grams:
            return word
        return next((name for name in (UNKNOWN, UNKNOWN.upper()) if (name,) in self._grams), word)


def read_arpa(path: str | PathLike[str]) -> NGramModel:
    r"""An ARPA file: after a line \data\ the counts, then each order's n-grams, then a line \end\.

    Raises:
        TableError: no ARPA file, a line that is none, or counts that are not what the file promises; names the line.
    """
    place = Path(path)
    try:
        lines = place.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{place} cannot be read as a language model: {error}; check the path") from error
    starts = [i for i, line in enumerate(lines) if line.strip() == "\\data\\"]
    if not starts:
        raise TableError(f"{place} has no line \\data\\: it is not an ARPA file")
    return _parse(place, lines, starts[-1] + 1)


def _parse(place: Path, lines: Sequence[str], start: int) -> NGramModel:
    promised: dict[int, int] = {}
    held: dict[int, int] = {}
    grams: dict[tuple[str, ...], tuple[float, float]] = {}
    order, ended = 0, False
    for number, line in enumerate(lines[start:], start=start + 1):
        text = line.strip()
        if not text:
            continue
        if text == "\\end\\":
            ended = True
            break
        if text.endswith("-grams:") and text.startswith("\\"):
            order = _whole(place, number, text, text[1:].partition("-")[0])
        elif order == 0:
            n, _, count = text.removeprefix("ngram").partition("=")
            promised[_whole(place, number, text, n)] = int(_whole(place, number, text, count, least=0))
        else:
            gram, scores = _gram(place, number, text, order)
            grams[gram] = scores
            held[order] = held.get(order, 0) + 1
    if not ended or any(held.get(n, 0) != count for n, count in promised.items()):
        raise TableError(f"{place} is not whole: it promises {promised} n-grams and holds {held}; fetch it again")
    return NGramModel(grams, max(held, default=1))


def _whole(place: Path, number: int, line: str, text: str, least: int = 1) -> int:
    """A whole number in a line of the header."""
    if not text.strip().isdecimal() or int(text) < least:
        raise TableError(f"{place}, line {number}: expected a line such as ngram 1=20 or \\1-grams:, not {line!r}")
    return int(text)


def _gram(place: Path, number: int, text: str, order: int) -> tuple[tuple[str, ...], tuple[float, float]]:
    parts = text.split()
    try:
        score = float(parts[0])
        backoff = float(parts[order + 1]) if len(parts) > order + 1 else 0.0
    except ValueError:
        score = backoff = math.nan
    if not (score < math.inf and backoff < math.inf) or not order < len(parts) <= order + 2:
        raise TableError(f"{place}, line {number}: expected a number, {order} words and a back-off, not {text!r}")
    return tuple(parts[1 : order + 1]), (score, backoff)
