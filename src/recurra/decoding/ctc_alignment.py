"""Where the units of a known text were said: the likeliest CTC path that gives this text."""

from collections.abc import Sequence

import numpy as np

from recurra.decoding.ctc_greedy import Array, Emission
from recurra.errors import TranscriptError


def align(log_probabilities: Array, units: Sequence[int]) -> list[Emission]:
    """The steps of each unit on the best path (Viterbi over blank, unit, blank, unit ... blank).

    Memory is steps times twice the units, a byte each.

    Args:
        log_probabilities: [steps, units]; unit 0 is the blank.
        units: the text.

    Raises:
        TranscriptError: if the text does not fit into so few steps.
    """
    if not units:
        return []
    path = np.zeros(2 * len(units) + 1, np.int64)
    path[1::2] = units
    scores = np.asarray(log_probabilities, np.float64)
    skips = np.zeros(len(path), bool)
    skips[3::2] = path[3::2] != path[1:-2:2]
    best = np.full(len(path), -np.inf)
    best[:2] = scores[0, path[:2]]
    came = np.zeros((len(scores), len(path)), np.int8)
    for step in range(1, len(scores)):
        one = np.concatenate([[-np.inf], best[:-1]])
        two = np.where(skips, np.concatenate([[-np.inf, -np.inf], best[:-2]]), -np.inf)
        ways = np.stack([best, one, two])
        came[step] = ways.argmax(0)
        best = ways.max(0) + scores[step, path]
    at = len(path) - 1 if best[-1] >= best[-2] else len(path) - 2
    if not np.isfinite(best[at]):
        raise TranscriptError(f"a text of {len(units)} units does not fit into {len(scores)} steps")
    places = np.empty(len(scores), np.int64)
    for step in range(len(scores) - 1, -1, -1):
        places[step] = at
        at -= int(came[step, at])
    return [_emission(places, scores, 2 * i + 1, unit) for i, unit in enumerate(units)]


def _emission(places: np.ndarray[tuple[int], np.dtype[np.int64]], scores: Array, at: int, unit: int) -> Emission:
    steps = np.flatnonzero(places == at)
    return Emission(unit, int(steps[0]), int(steps[-1]), float(np.exp(scores[steps, unit].max())))
