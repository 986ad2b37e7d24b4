"""Turning scores into answers: greedy, sampled, the best of a beam; CTC: best path, prefix beam search, alignment."""

from recurra.decoding.beam import beam_search
from recurra.decoding.ctc_alignment import align
from recurra.decoding.ctc_beam import BeamDecoder
from recurra.decoding.ctc_greedy import Emission, GreedyDecoder, greedy
from recurra.decoding.ctc_words import WordScorer, WordState
from recurra.decoding.hypothesis import Hypothesis
from recurra.decoding.language_model import NGramModel, read_arpa
from recurra.decoding.options import DecodingOptions
from recurra.decoding.paths import follow_paths
from recurra.decoding.prefix import Spellings
from recurra.decoding.scorer import NetworkScorer, Scorer, ScorerState

__all__ = [
    "BeamDecoder",
    "DecodingOptions",
    "Emission",
    "GreedyDecoder",
    "Hypothesis",
    "NGramModel",
    "NetworkScorer",
    "Scorer",
    "ScorerState",
    "Spellings",
    "WordScorer",
    "WordState",
    "align",
    "beam_search",
    "follow_paths",
    "greedy",
    "read_arpa",
]
