"""Scores of translations stand beside those of copying the source."""

from recurra.data.text import SentencePairs
from recurra.evaluation.translations import score_translations

PAIRS = SentencePairs(("ein Hund läuft weit", "zwei kleine alte Katzen"), ("A dog runs far", "two small old cats"))


def test_right_answers_score_a_hundred_and_the_sources_nothing() -> None:
    report = score_translations(["a dog runs far", "two small old cats"], PAIRS)
    # by hand: one of two is right to the letter; in small letters both are
    assert (report.right, report.copied_right) == (0.5, 0.0)
    assert round(report.lowercased_bleu) == 100
    assert report.bleu < report.lowercased_bleu
    assert report.copied_bleu == 0.0
    assert "| right to the letter | 50.0 % | 0.0 % |" in str(report)
    assert "The model is better than copying the source" in str(report)
    assert report.to_dict()["pairs"] == 2


def test_copying_is_no_better_than_copying() -> None:
    assert "The model is no better than copying" in str(score_translations(PAIRS.source, PAIRS))
