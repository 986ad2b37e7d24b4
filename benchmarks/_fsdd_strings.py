"""Strings of digits made of FSDD's recordings, and the recogniser that the connected and the live benchmark share."""

import hashlib
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import recurra
from benchmarks._record import commit
from recurra import SequenceClassifier, SpeechRecognizer
from recurra.data.audio import Recording, read_recording
from recurra.data.catalogue import load_fsdd

RATE = 8000
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
SINGLE_DIGITS, TRAINING_STRINGS, TEST_STRINGS = 1600, 700, 100
TRAINING_DIGITS, TEST_DIGITS = (1, 5), (3, 7)
GAP_S, EDGE_S = (0.05, 0.5), (0.1, 0.4)
SOUND: dict[str, Any] = {
    "features": "mfcc",
    "sample_rate_hz": RATE,
    "n_mels": 40,
    "n_mfcc": 13,
    "deltas": 1,
    "normalisation": "running",
    "cell": "gru",
    "hidden_size": 96,
    "num_layers": 2,
    "bidirectional": False,
    "channels": 64,
    "strides": (2,),
    "dropout": 0.2,
    "validation": 0,
}
SINGLES: dict[str, Any] = {
    **SOUND, "augment": ("strong",), "pooling": "last", "batch_size": 16, "max_epochs": 10,
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    **SOUND,
    "augment": ("strong", "shift_s=0", "time_masks=0", "feature_masks=1"),
    "units": "words",
    "batch_size": 8,
    "max_epochs": 12,
}


@dataclass(frozen=True)
class DigitString:
    """A recording of several digits by one speaker.

    Attributes:
        recording: the sound.
        digits: what is said.
        ends_s: where each digit's recording ends, seconds.
    """

    recording: Recording
    digits: tuple[str, ...]
    ends_s: tuple[float, ...]

    @property
    def text(self) -> str:
        """The digits with spaces between."""
        return " ".join(self.digits)


def make_strings(
    speakers: tuple[str, ...], n: int, seed: int, digits: tuple[int, int] = TEST_DIGITS
) -> list[DigitString]:
    """Strings of so many digits, each of one speaker, with random gaps that hold noise of the recordings' floor."""
    utterances = load_fsdd()
    random = np.random.default_rng(seed)
    owned = {name: [i for i, owner in enumerate(utterances.speakers or ()) if owner == name] for name in speakers}
    read = {i: read_recording(utterances.inputs[i]).samples for numbers in owned.values() for i in numbers}
    made = []
    for number in range(n):
        name = speakers[number % len(speakers)]
        chosen = random.choice(owned[name], int(random.integers(digits[0], digits[1] + 1)), replace=False).tolist()
        made.append(_join([read[i] for i in chosen], [str(utterances.targets[i]) for i in chosen], random))
    return made


def _join(parts: list[npt.NDArray[np.float32]], digits: list[str], random: np.random.Generator) -> DigitString:
    pieces, ends, total = [], [], 0
    floor = min(float(np.sqrt(np.mean(part[:80] ** 2))) for part in parts) + 1e-5
    gaps = [random.uniform(*EDGE_S), *random.uniform(*GAP_S, len(parts) - 1), random.uniform(*EDGE_S)]
    for gap, part in zip(gaps, [*parts, None], strict=True):
        pieces.append(floor * random.standard_normal(int(gap * RATE)).astype(np.float32))
        total += len(pieces[-1])
        if part is not None:
            pieces.append(part)
            total += len(part)
            ends.append(total / RATE)
    samples = np.concatenate(pieces).astype(np.float32)
    return DigitString(Recording(samples, RATE, " ".join(digits)), tuple(digits), tuple(ends))


def trained(unheard: str, seed: int) -> tuple[SpeechRecognizer, dict[str, Any]]:
    """A recogniser that never heard one speaker, and what it took; kept in the temporary folder for a next call.

    One that was trained at another commit, or whose training was broken off, is not taken.
    """
    others = tuple(name for name in SPEAKERS if name != unheard)
    sizes = [SINGLE_DIGITS, TRAINING_STRINGS, TRAINING_DIGITS, GAP_S, EDGE_S]
    what = json.dumps([SINGLES, SETTINGS, unheard, seed, sizes, commit()], sort_keys=True)
    place = Path(tempfile.gettempdir()) / "recurra-benchmarks" / hashlib.sha256(what.encode()).hexdigest()[:16]
    if not (place / "training.json").exists():
        singles = make_strings(others, SINGLE_DIGITS, 3000 + seed, (1, 1))
        strings = make_strings(others, TRAINING_STRINGS, 1000 + seed, TRAINING_DIGITS)
        digits = SequenceClassifier(seed=seed, progress="lines", **SINGLES)
        model = SpeechRecognizer(seed=seed, progress="lines", **SETTINGS)
        begun = time.process_time()
        digits.fit(*_parted(singles))
        model.fit(*_parted(strings), start_from=digits)
        cpu_seconds = time.process_time() - begun
        model.save(place / "model", data_name="FSDD, joined", data_licence="CC BY-SA 4.0", overwrite=True)
        both = digits.history_.seconds + model.history_.seconds
        seconds = {"training_seconds": round(both, 1), "training_cpu_seconds": round(cpu_seconds, 1)}
        (place / "training.json").write_text(json.dumps(seconds))
    return recurra.load(place / "model"), json.loads((place / "training.json").read_text())


def _parted(strings: list[DigitString]) -> tuple[list[Recording], list[str]]:
    return [string.recording for string in strings], [string.text for string in strings]
