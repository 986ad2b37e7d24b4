"""Alignment: the best of all paths that give the text, by enumeration."""

import itertools

import numpy as np
import pytest

from recurra.decoding import align
from recurra.errors import TranscriptError


@pytest.mark.parametrize("text", [[1], [1, 2], [2, 2], [1, 2, 1]])
@pytest.mark.parametrize("seed", range(3))
def test_the_path_is_the_best_that_gives_the_text(text: list[int], seed: int) -> None:
    """Expected: of all 3^6 paths that merge to the text, the likeliest one."""
    log_p = np.log(np.random.default_rng(seed).dirichlet(np.ones(3), 6))
    paths = [p for p in itertools.product(range(3), repeat=6) if [u for u, _ in itertools.groupby(p) if u] == text]
    best = max(paths, key=lambda p: sum(log_p[t, u] for t, u in enumerate(p)))
    wanted, t = [], 0
    for unit, group in itertools.groupby(best):
        n = len(list(group))
        if unit:
            wanted.append((unit, t, t + n - 1))
        t += n
    found = align(log_p, text)
    assert [(e.unit, e.first, e.last) for e in found] == wanted
    assert found[0].confidence == pytest.approx(np.exp(log_p[found[0].first : found[0].last + 1, text[0]].max()))


def test_too_few_steps_are_refused() -> None:
    with pytest.raises(TranscriptError, match="2 units does not fit into 2 steps"):
        align(np.log(np.full((2, 3), 1 / 3)), [1, 1])
    assert align(np.zeros((3, 2)), []) == []
