"""What the tests of decoding share: a small network, and a scorer whose probabilities are written down."""

import math
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from recurra.models.translation import TranslationNetwork, TranslationShape

END = 3


class Table(NamedTuple):
    """The state of `TableScorer`: what each hypothesis has written."""

    written: Tensor


class TableScorer:
    """Probabilities of the next piece by what was written before, whatever the source; none for all else.

    Args:
        table: pieces so far -> probabilities by piece.
        size: of the vocabulary.
    """

    def __init__(self, table: dict[tuple[int, ...], dict[int, float]], size: int = 8) -> None:
        self.table, self.size, self.calls = table, size, 0

    def begin(self, source: Tensor, lengths: Tensor) -> Table:
        return Table(torch.zeros(len(source), 0, dtype=torch.int64))

    def step(self, previous: Tensor, state: Table) -> tuple[Tensor, Tensor, Table]:
        self.calls += 1
        written = torch.cat([state.written, previous[:, None]], 1)
        scores = torch.full((len(previous), self.size), -math.inf)
        for row, pieces in enumerate(written.tolist()):
            for piece, probability in self.table.get(tuple(pieces[1:]), {END: 1.0}).items():
                scores[row, piece] = math.log(probability)
        return scores, torch.full((len(previous), 3), 1 / 3), Table(written)

    def select(self, state: Table, rows: Tensor) -> Table:
        return Table(state.written[rows])

    def keep(self, state: Table, sources: Tensor) -> Table:
        return state


@pytest.fixture(scope="session")
def network() -> TranslationNetwork:
    """A network with random weights."""
    torch.manual_seed(0)
    return TranslationNetwork(TranslationShape(20, 20, True, "gru", 16, 24)).eval()


@pytest.fixture
def sources() -> tuple[Tensor, Tensor]:
    """Six sources of several lengths."""
    torch.manual_seed(1)
    return torch.randint(4, 20, (6, 7)), torch.tensor([7, 3, 1, 5, 7, 2])
