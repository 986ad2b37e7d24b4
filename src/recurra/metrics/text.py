"""Scores of texts against references: BLEU by sacrebleu, and the share of answers that are wrong."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from recurra.errors import ConfigError, MissingExtraError, ShapeError


@dataclass(frozen=True)
class Bleu:
    """A BLEU score and how it was made.

    Attributes:
        score: from 0 to 100.
        signature: sacrebleu's, which says all that two scores must share to be compared.
    """

    score: float
    signature: str


def bleu(
    hypotheses: Sequence[str], references: Sequence[str], *, lowercase: bool = False, tokenize: str = "13a"
) -> Bleu:
    """Corpus BLEU of detokenised texts, one reference each.

    Args:
        hypotheses: what was said.
        references: what should have been said.
        lowercase: whether both are brought to small letters first.
        tokenize: sacrebleu's tokeniser: "13a" (the usual one), "intl", "char", "none".

    Raises:
        ShapeError: there are not as many of one as of the other, or none.
        MissingExtraError: sacrebleu is not installed.

    Source: Papineni et al. 2002; Post 2018.
    """
    _check_numbers(hypotheses, references)
    try:
        from sacrebleu.metrics.bleu import BLEU
    except ImportError as error:
        raise MissingExtraError("BLEU needs sacrebleu; install it with: pip install 'recurra[translation]'") from error
    try:
        metric: Any = BLEU(lowercase=lowercase, tokenize=tokenize)
    except (ValueError, AssertionError, KeyError) as error:
        raise ConfigError(f"tokenize={tokenize!r} is no tokeniser of sacrebleu") from error
    found = metric.corpus_score(list(hypotheses), [list(references)])
    return Bleu(float(found.score), str(metric.get_signature()))


def wrong_answers(hypotheses: Sequence[str], accepted: Sequence[Collection[str]]) -> float:
    """Share of hypotheses that are none of the accepted answers, from 0 to 1.

    With a word's pronunciations as the accepted answers this is the word error rate of grapheme to phoneme.

    >>> wrong_answers(["K AE T", "D AO"], [["K AE T"], ["D AO G", "D AA G"]])
    0.5
    """
    _check_numbers(hypotheses, accepted)
    return sum(said not in right for said, right in zip(hypotheses, accepted, strict=True)) / len(hypotheses)


def _check_numbers(hypotheses: Sequence[str], references: Sequence[object]) -> None:
    if len(hypotheses) != len(references) or not hypotheses:
        raise ShapeError(f"expected one reference for each of the {len(hypotheses)} hypotheses, got {len(references)}")
