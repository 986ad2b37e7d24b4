"""Best times of things done strictly in turn, so that what else the machine does falls on all of them."""

import time
from collections.abc import Callable


def in_turn(*works: Callable[[], object], budget_s: float, least: int = 15) -> list[float]:
    """The best time of each, in milliseconds, after two turns that do not count.

    Args:
        works: what is timed.
        budget_s: go on for so long.
        least: and for so many turns.
    """
    for _ in range(2):
        for work in works:
            work()
    best = [float("inf")] * len(works)
    end = time.perf_counter() + budget_s
    turns = 0
    while turns < least or time.perf_counter() < end:
        for i, work in enumerate(works):
            begun = time.perf_counter()
            work()
            best[i] = min(best[i], time.perf_counter() - begun)
        turns += 1
    return [round(seconds * 1e3, 5) for seconds in best]


def roughly(work: Callable[[], object]) -> float:
    """Seconds of the best of three goes."""
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best
