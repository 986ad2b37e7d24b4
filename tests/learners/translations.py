"""Small translation tasks of known answers, and settings that learn them in a moment."""

import random
from typing import Any

Rows = list[tuple[str, str]]
QUICK: dict[str, Any] = {
    "units": "symbols", "cell": "gru", "embedding_size": 16, "hidden_size": 32, "dropout": 0.0,
    "recurrent_dropout": 0.0, "label_smoothing": 0.0, "batch_tokens": 200, "learning_rate": 0.01, "max_epochs": 8,
}  # fmt: skip


def reversed_rows(number: int, longest: int = 6, letters: str = "abcdefgh", seed: int = 0) -> Rows:
    """Letters separated by spaces, and the same backwards."""
    return [(text, text[::-1]) for text in texts(number, longest, letters, seed)]


def texts(number: int, longest: int, letters: str, seed: int) -> list[str]:
    """Random letters separated by spaces, from one to `longest`."""
    drawn = random.Random(seed)
    return [" ".join(drawn.choices(letters, k=drawn.randint(1, longest))) for _ in range(number)]
