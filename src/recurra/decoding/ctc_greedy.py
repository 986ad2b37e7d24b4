"""CTC's best path: the likeliest unit of each step, repeats merged, blanks dropped; whole or as a stream."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Emission:
    """One unit that was heard.

    Attributes:
        unit: its number.
        first: first step of it.
        last: last step of it.
        confidence: its highest probability in these steps.
    """

    unit: int
    first: int
    last: int
    confidence: float


class GreedyDecoder:
    """Takes log probabilities step by step; equal to decoding them all at once.

    path(t) = argmax_u log P(u | t);  repeats are one unit, blanks are none (Graves et al. 2006, best path)
    """

    def __init__(self) -> None:
        self.emissions: list[Emission] = []
        self.steps = 0
        self._before = 0

    def push(self, log_probabilities: Array) -> None:
        """More steps, [steps, units]; unit 0 is the blank."""
        best = log_probabilities.argmax(-1)
        heard = np.flatnonzero(best)
        for at in heard.tolist():
            unit, step = int(best[at]), self.steps + at
            confidence = float(np.exp(log_probabilities[at, unit]))
            before = int(best[at - 1]) if at else self._before
            if unit == before:
                old = self.emissions[-1]
                self.emissions[-1] = Emission(unit, old.first, step, max(old.confidence, confidence))
            else:
                self.emissions.append(Emission(unit, step, step, confidence))
        if len(best):
            self._before = int(best[-1])
        self.steps += len(best)

    @property
    def units(self) -> list[int]:
        """The units so far."""
        return [emission.unit for emission in self.emissions]


def greedy(log_probabilities: Array) -> list[Emission]:
    """The units of the best path through [steps, units]."""
    decoder = GreedyDecoder()
    decoder.push(log_probabilities)
    return decoder.emissions
