"""One answer that a search found."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Hypothesis:
    """Pieces, how good they are, and what the network looked at.

    Attributes:
        pieces: of the answer, without BEGIN and END.
        score: what answers are ranked by: normalised by length, with the coverage penalty.
        log_probability: of the pieces and the END.
        attention: weights over the source at each piece, [pieces, source].
        ended: whether it ended by itself, rather than at the limit of its length.
    """

    pieces: tuple[int, ...]
    score: float
    log_probability: float
    attention: Tensor
    ended: bool = True
