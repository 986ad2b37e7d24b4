"""When an utterance has ended: silence after words, too long without any, or too long altogether."""

from dataclasses import dataclass

from recurra.errors import ConfigError


@dataclass(frozen=True)
class Endpoint:
    """Rules that end an utterance, whichever comes first.

    Args:
        silence_s: seconds without a unit after the last one.
        idle_s: seconds without any unit from the beginning; nothing is reported then.
        longest_s: seconds of the whole utterance.
    """

    silence_s: float = 0.8
    idle_s: float = 4.0
    longest_s: float = 20.0

    def __post_init__(self) -> None:
        for name in ("silence_s", "idle_s", "longest_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}={getattr(self, name)} must be above 0")

    def reached(self, steps: int, last_heard: int | None, step_s: float) -> bool:
        """Whether the utterance has ended.

        Args:
            steps: steps since its beginning.
            last_heard: the last step in which a unit was heard, if one was.
            step_s: seconds of a step.
        """
        if steps * step_s >= self.longest_s:
            return True
        if last_heard is None:
            return steps * step_s >= self.idle_s
        return (steps - 1 - last_heard) * step_s >= self.silence_s
