"""Copying, reversing and sorting: above 99 % right on sequences that were not seen, in under a minute each."""

from collections.abc import Callable

import pytest

from recurra import Translator
from tests.learners.translations import texts

LETTERS = "abcdefghij"
TASKS: dict[str, Callable[[str], str]] = {
    "copy": lambda text: text,
    "reverse": lambda text: text[::-1],
    "sort": lambda text: " ".join(sorted(text.split())),
}


@pytest.mark.conformance
@pytest.mark.parametrize("name", list(TASKS))
def test_a_task_is_learned(name: str) -> None:
    """Expected: the rule itself, applied to sequences of one to eight letters that training never saw."""
    rule = TASKS[name]
    train = texts(6000, 8, LETTERS, seed=0)
    test = [text for text in texts(1500, 8, LETTERS, seed=1) if len(text) > 7 and text not in set(train)][:500]
    model = Translator(
        units="symbols", cell="gru", embedding_size=32, hidden_size=64, dropout=0.0, recurrent_dropout=0.0,
        label_smoothing=0.0, batch_tokens=300, learning_rate=5e-3, max_epochs=12, max_seconds=55,
    )  # fmt: skip
    model.fit(train, [rule(text) for text in train])
    report = model.score(test, [rule(text) for text in test])
    assert model.history_.seconds < 60
    assert report.right > 0.99
