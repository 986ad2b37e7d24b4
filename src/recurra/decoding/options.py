"""How answers are looked for."""

import math
from dataclasses import dataclass

from recurra.errors import ConfigError


@dataclass(frozen=True)
class DecodingOptions:
    """Settings of a search.

    Args:
        beam: hypotheses of each source that are followed at once; 1 for greedy search.
        n_best: hypotheses that are given back; at most `beam`, unless they are sampled.
        length_penalty: alpha; scores are log p / ((5 + length) / 6)^alpha, so that short answers are not favoured.
        coverage_penalty: beta; adds beta * sum over the source of log min(attention received in all, 1).
        max_ratio: pieces of an answer at most: this many for each piece of the source, and `max_extra` more. Those
            that spell a forced beginning do not count.
        max_extra: see `max_ratio`.
        no_repeat: no run of so many pieces occurs twice in an answer, unless a beginning is forced that repeats
            itself; 0 allows all.
        sample: draw each piece from the network's distribution instead of searching.
        temperature: of the distribution that is drawn from; below 1 sharper, above 1 flatter.
        top_k: draw from the so many likeliest pieces only; 0 for all.
        seed: of the draws; each source has its own, which depend on this and on the source's number alone.

    Source: Wu et al. 2016, equation 14, for both penalties.
    """

    beam: int = 5
    n_best: int = 1
    length_penalty: float = 1.0
    coverage_penalty: float = 0.0
    max_ratio: float = 2.0
    max_extra: int = 20
    no_repeat: int = 0
    sample: bool = False
    temperature: float = 1.0
    top_k: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("beam", 1), ("n_best", 1), ("max_extra", 1), ("no_repeat", 0), ("top_k", 0), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ConfigError(f"{name} must be a whole number of at least {least}, not {value!r}")
        for name, least_float, above in (("length_penalty", 0.0, False), ("coverage_penalty", 0.0, False),
                                         ("max_ratio", 0.0, False), ("temperature", 0.0, True)):  # fmt: skip
            number = getattr(self, name)
            if not (math.isfinite(number) and (number > least_float if above else number >= least_float)):
                raise ConfigError(f"{name} must be {'above' if above else 'at least'} {least_float:g}, not {number!r}")
        if not self.sample and self.n_best > self.beam:
            raise ConfigError(f"n_best={self.n_best} answers need a beam at least as wide, not beam={self.beam}")

    def limit(self, source_length: int) -> int:
        """Pieces of an answer at most, END included, those of a forced beginning not counted."""
        return math.ceil(self.max_ratio * source_length) + self.max_extra

    def normalised(self, log_probability: float, length: int) -> float:
        """Log p / ((5 + length) / 6)^alpha; the length counts END."""
        penalty: float = ((5.0 + length) / 6.0) ** self.length_penalty
        return log_probability / penalty
