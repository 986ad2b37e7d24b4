"""Turning scores into answers: CTC's best path, prefix beam search, alignment, and language models."""

from recurra.decoding.ctc_alignment import align
from recurra.decoding.ctc_beam import BeamDecoder
from recurra.decoding.ctc_greedy import Emission, GreedyDecoder, greedy
from recurra.decoding.ctc_words import WordScorer, WordState
from recurra.decoding.language_model import NGramModel, read_arpa

__all__ = [
    "BeamDecoder",
    "Emission",
    "GreedyDecoder",
    "NGramModel",
    "WordScorer",
    "WordState",
    "align",
    "greedy",
    "read_arpa",
]
