"""Another sample rate for a signal: a windowed sinc, evaluated where the new samples lie."""

from math import gcd

import numpy as np
import numpy.typing as npt

from recurra.errors import AudioError

Samples = npt.NDArray[np.float32]
ZEROS = 24
BLOCK = 1 << 15


def resample(samples: npt.NDArray[np.floating], from_hz: int, to_hz: int) -> Samples:
    """The signal at another rate; its band is limited to the lower of the two.

        y(m) = sum_n x(n) c sinc(c (t_m - n)) w(t_m - n),  t_m = m from_hz / to_hz,  c = 0.95 min(1, to_hz / from_hz)

    with a Hann window w over 24 zeros of the sinc on each side (Smith, Digital Audio Resampling, 2002).

    Args:
        samples: [n].
        from_hz: rate of the samples.
        to_hz: rate wanted.

    Returns:
        [ceil(n to_hz / from_hz)], float32.

    Raises:
        AudioError: if a rate is not above zero.
    """
    if from_hz <= 0 or to_hz <= 0:
        raise AudioError(f"a sample rate must be above 0 Hz, not {min(from_hz, to_hz)}")
    if from_hz == to_hz:
        return samples.astype(np.float32)
    divisor = gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    cutoff = 0.95 * min(1.0, up / down)
    reach = int(np.ceil(ZEROS / cutoff))
    padded = np.pad(samples.astype(np.float64), reach)
    offsets = np.arange(-reach + 1, reach + 1)
    new = np.empty(-(-len(samples) * up // down), np.float32)
    for first in range(0, len(new), BLOCK):
        places = np.arange(first, min(first + BLOCK, len(new))) * down
        whole, phase = places // up, places % up
        phases, which = np.unique(phase, return_inverse=True)
        distance = phases[:, None] / up - offsets
        window = np.where(np.abs(distance) < reach, 0.5 + 0.5 * np.cos(np.pi * distance / reach), 0.0)
        taps = cutoff * np.sinc(cutoff * distance) * window
        near = padded[(whole + reach)[:, None] + offsets]
        new[first : first + len(places)] = np.einsum("mk,mk->m", near, taps[which])
    return new
