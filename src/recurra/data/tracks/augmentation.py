"""Windows turned, mirrored and run at another speed, so that a network learns what does not depend on these."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Augmentation:
    """What may be done to a training window; nothing by default.

    Attributes:
        rotate: turn it by any angle.
        mirror: mirror it, every other time.
        time_scale: let its clock run up to this many times as fast, or as slow: every way grows or shrinks by the
            factor, as in a recording at another rate. 1 leaves it.
        jitter: in every other window, move each fix by a normal error of up to this standard deviation, in usual
            steps, as a recording with less certain positions would.

    Raises:
        ConfigError: if the time scale is below 1, or the jitter below 0.
    """

    rotate: bool = False
    mirror: bool = False
    time_scale: float = 1.0
    jitter: float = 0.0

    def __post_init__(self) -> None:
        if not 1.0 <= self.time_scale <= 10.0:
            raise ConfigError(f"time_scale must be from 1 (off) to 10, not {self.time_scale}")
        if not 0.0 <= self.jitter <= 10.0:
            raise ConfigError(f"jitter must be from 0 (off) to 10, not {self.jitter}")

    @property
    def does_nothing(self) -> bool:
        """Whether every window stays as it is."""
        return not (self.rotate or self.mirror) and self.time_scale == 1.0 and self.jitter == 0.0

    def matrices(self, count: int, random: np.random.Generator) -> Floats:
        """One matrix A for each window, [count, 2, 2]; every vector v of the window becomes A v.

        A = factor * rotation(angle) * diag(1, ±1)
        """
        angle = random.uniform(0.0, 2.0 * np.pi, count) if self.rotate else np.zeros(count)
        sign = random.choice((-1.0, 1.0), count) if self.mirror else np.ones(count)
        bound = np.log(self.time_scale)
        factor = np.exp(random.uniform(-bound, bound, count)) if bound > 0.0 else np.ones(count)
        cosine, sine = np.cos(angle) * factor, np.sin(angle) * factor
        return np.stack([np.stack([cosine, -sine * sign], -1), np.stack([sine, cosine * sign], -1)], -2)

    def errors(self, shape: tuple[int, int], random: np.random.Generator) -> Floats:
        """Errors of the fixes of windows, in usual steps, [windows, fixes, 2]."""
        size = random.uniform(0.0, self.jitter, shape[0]) * random.integers(0, 2, shape[0])
        return np.asarray(size[:, None, None] * random.standard_normal((*shape, 2)))


def transform(vectors: Floats, matrices: Floats) -> Floats:
    """A v for every vector of every window.

    Args:
        vectors: [windows, ..., 2].
        matrices: [windows, 2, 2].
    """
    shape = (len(matrices),) + (1,) * (vectors.ndim - 2) + (2, 2)
    return np.asarray((matrices.reshape(shape) @ vectors[..., None])[..., 0], np.float64)
