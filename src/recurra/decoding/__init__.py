"""From scores of the next piece to whole answers: greedy, sampled, or the best of a beam."""

from recurra.decoding.beam import beam_search
from recurra.decoding.hypothesis import Hypothesis
from recurra.decoding.options import DecodingOptions
from recurra.decoding.paths import follow_paths
from recurra.decoding.prefix import Spellings
from recurra.decoding.scorer import NetworkScorer, Scorer, ScorerState

__all__ = [
    "DecodingOptions",
    "Hypothesis",
    "NetworkScorer",
    "Scorer",
    "ScorerState",
    "Spellings",
    "beam_search",
    "follow_paths",
]
