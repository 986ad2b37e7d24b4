"""Synthetic sounds for tests of speech: three tones stand for the words low, mid and high, spoken with gaps."""

import functools
from typing import Any

import numpy as np

from recurra import SpeechRecognizer

RATE = 8000
TONES_HZ = {"low": 400.0, "mid": 900.0, "high": 2000.0}
SETTINGS: dict[str, Any] = {
    "sample_rate_hz": RATE, "n_mels": 16, "normalisation": "running", "bidirectional": False, "augment": ("none",),
    "hidden_size": 24, "num_layers": 1, "channels": 16, "dropout": 0.0, "units": "words", "learning_rate": 1e-2,
    "max_epochs": 18, "batch_size": 8, "validation": 0,
}  # fmt: skip


def say(text: str, random: np.random.Generator) -> np.ndarray:
    """The sound of some words: [n], 8 kHz."""
    parts = [np.zeros(int(random.uniform(0.05, 0.2) * RATE))]
    for word in text.split():
        t = np.arange(int(random.uniform(0.12, 0.2) * RATE)) / RATE
        hz = TONES_HZ[word] * random.uniform(0.95, 1.05)
        parts += [
            0.3 * np.sin(2 * np.pi * hz * t) * np.hanning(len(t)),
            np.zeros(int(random.uniform(0.06, 0.2) * RATE)),
        ]
    sound = np.concatenate(parts)
    return (sound + 0.003 * random.standard_normal(len(sound))).astype(np.float32)


def corpus(n: int, seed: int) -> tuple[list[np.ndarray], list[str]]:
    """Sounds and their texts."""
    random = np.random.default_rng(seed)
    texts = [" ".join(random.choice(list(TONES_HZ), random.integers(1, 5))) for _ in range(n)]
    return [say(text, random) for text in texts], texts


@functools.cache
def recognizer() -> SpeechRecognizer:
    """A small one-directional recogniser of these words, trained once for all tests."""
    return SpeechRecognizer(**SETTINGS).fit(*corpus(100, 1))
