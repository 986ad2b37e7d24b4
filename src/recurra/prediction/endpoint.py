"""When an utterance has ended: silence after words, too long without any, or too long altogether."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError

SOFTEST_DB = -90.0
LEAST_RISE_DB = 6.0
DRIFT_DB = 3.0
"""By how much a second lets the floor rise and the peak fall, so that they follow a room that changes."""


@dataclass(frozen=True)
class Endpoint:
    """Rules that end an utterance, whichever comes first.

    A unit is often written early in its word, and the next one late in its own. So that no word is cut in two, an
    utterance ends in quiet alone, except where it gets too long.

    Args:
        silence_s: seconds without a unit after the last one, all of them quiet.
        idle_s: seconds without any unit from the beginning, the last `silence_s` of them quiet; nothing is reported
            then.
        longest_s: seconds of the whole utterance.
    """

    silence_s: float = 0.8
    idle_s: float = 4.0
    longest_s: float = 20.0

    def __post_init__(self) -> None:
        for name in ("silence_s", "idle_s", "longest_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}={getattr(self, name)} must be above 0")

    def reached(self, steps: int, last_heard: int | None, step_s: float, quiet_s: float = float("inf")) -> bool:
        """Whether the utterance has ended.

        Args:
            steps: steps since its beginning.
            last_heard: the last step in which a unit was heard, if one was.
            step_s: seconds of a step.
            quiet_s: seconds since the last sound; infinite where nothing is known of it.
        """
        if steps * step_s >= self.longest_s:
            return True
        since, wanted = steps * step_s, self.idle_s
        if last_heard is not None:
            since, wanted = (steps - 1 - last_heard) * step_s, self.silence_s
        return since >= wanted and quiet_s >= min(wanted, self.silence_s)


class Loudness:
    """Tells sound from the quiet between: a block counts as sound if it lies nearer to the peak than to the floor.

    Levels are mean squares in dB. The floor is the softest and the peak the loudest level so far, and they drift
    towards the present one, 3 dB a second. A block less than 6 dB above the floor is quiet.

    Args:
        block_s: seconds of a block.
    """

    def __init__(self, block_s: float) -> None:
        self._drift = DRIFT_DB * block_s
        self._floor = self._peak = float("nan")

    def is_sound(self, samples: npt.NDArray[np.float32]) -> bool:
        """Whether the next block holds sound.

        Args:
            samples: of one channel, [n], n at least 1.
        """
        power = float(np.mean(np.square(samples, dtype=np.float64)))
        level = max(10.0 * float(np.log10(power)), SOFTEST_DB) if power > 0.0 else SOFTEST_DB
        self._floor = float(np.fmin(level, self._floor + self._drift))
        self._peak = float(np.fmax(level, self._peak - self._drift))
        return level > self._floor + max((self._peak - self._floor) / 2.0, LEAST_RISE_DB)
