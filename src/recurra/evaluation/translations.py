"""Translations scored against references, beside copying the source."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from recurra.data.text import SentencePairs
from recurra.metrics.text import bleu, wrong_answers


@dataclass(frozen=True)
class TranslationReport:
    """Scores of answers, each beside that of the sources themselves, as if they were the answers.

    Attributes:
        pairs: how many were scored.
        bleu: detokenised, as sacrebleu computes it by default.
        lowercased_bleu: the same after both were brought to small letters.
        copied_bleu, copied_lowercased_bleu: of the sources.
        right: share of answers that are the reference to the letter.
        copied_right: of the sources.
        signature, lowercased_signature: sacrebleu's.
    """

    pairs: int
    bleu: float
    lowercased_bleu: float
    copied_bleu: float
    copied_lowercased_bleu: float
    right: float
    copied_right: float
    signature: str
    lowercased_signature: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def __str__(self) -> str:
        rows = [
            ("BLEU", f"{self.bleu:.2f}", f"{self.copied_bleu:.2f}"),
            ("BLEU, lowercased", f"{self.lowercased_bleu:.2f}", f"{self.copied_lowercased_bleu:.2f}"),
            ("right to the letter", f"{100 * self.right:.1f} %", f"{100 * self.copied_right:.1f} %"),
        ]
        table = "\n".join(f"| {name} | {ours} | {copied} |" for name, ours, copied in rows)
        better = (
            "better"
            if self.lowercased_bleu > self.copied_lowercased_bleu or self.right > self.copied_right
            else ("no better")
        )
        return (
            f"| {self.pairs:,} pairs | the model | copying the source |\n|---|---|---|\n{table}\n\n"
            f"The model is {better} than copying the source. BLEU: {self.signature}; "
            f"lowercased: {self.lowercased_signature}."
        )


def score_translations(answers: Sequence[str], pairs: SentencePairs) -> TranslationReport:
    """Score answers against the targets of the pairs they answer."""
    cased, lowered = (bleu(answers, pairs.target, lowercase=lower) for lower in (False, True))
    copied, copied_lowered = (bleu(pairs.source, pairs.target, lowercase=lower) for lower in (False, True))
    accepted = [(target,) for target in pairs.target]
    return TranslationReport(
        len(pairs),
        cased.score,
        lowered.score,
        copied.score,
        copied_lowered.score,
        1.0 - wrong_answers(answers, accepted),
        1.0 - wrong_answers(pairs.source, accepted),
        cased.signature,
        lowered.signature,
    )
