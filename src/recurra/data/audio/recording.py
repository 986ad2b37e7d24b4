"""One recording: samples of one channel at one rate, checked; and what is wrong with it but can be used."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.audio.resampling import Samples, resample
from recurra.errors import AudioError

FULL_SCALE = 0.999
CLIPPED_SHARE = 0.001
SILENT_PEAK = 1e-4


@dataclass(frozen=True)
class Recording:
    """Samples between -1 and 1 of one channel; at least one, all finite.

    Attributes:
        samples: [n], float32.
        sample_rate_hz: samples a second.
        name: what errors call it.
    """

    samples: Samples
    sample_rate_hz: int
    name: str = "recording"

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.sample_rate_hz

    @property
    def blemishes(self) -> tuple[str, ...]:
        """What is wrong with it although it can be used: "silent", or "clipped" samples in a row at full scale."""
        loud = np.abs(self.samples) >= FULL_SCALE
        found = []
        if float(np.abs(self.samples).max()) < SILENT_PEAK:
            found.append("silent")
        if float(np.mean(loud[1:] & loud[:-1])) > CLIPPED_SHARE if len(loud) > 1 else False:
            found.append("clipped")
        return tuple(found)

    def at_rate(self, sample_rate_hz: int) -> "Recording":
        """The same recording, resampled."""
        if sample_rate_hz == self.sample_rate_hz:
            return self
        return Recording(resample(self.samples, self.sample_rate_hz, sample_rate_hz), sample_rate_hz, self.name)


def as_recording(samples: Any, sample_rate_hz: int, name: str = "recording") -> Recording:
    """A NumPy array as a recording.

    Args:
        samples: [n], or [n, channels], which are averaged; floats between -1 and 1, or whole numbers, which are
            divided by the largest of their type (8 unsigned bits are centred first).
        sample_rate_hz: samples a second.
        name: what errors call it.

    Raises:
        AudioError: if there is no sample, one is not finite, or the array is no signal.
    """
    array = np.asarray(samples)
    if array.dtype.kind not in "iuf" or array.ndim not in (1, 2):
        raise AudioError(f"{name}: a signal is an array of numbers [n] or [n, channels], not {_described(array)}")
    if array.size == 0:
        raise AudioError(f"{name} holds no samples; leave it out")
    values = _as_float(array)
    if not np.isfinite(values).all():
        at = int(np.argmax(~np.isfinite(values).reshape(len(values), -1).all(1)))
        raise AudioError(
            f"{name}: sample {at} is {values[at]}, not a finite number; mend the recording or leave it out"
        )
    mono = values.mean(axis=1) if values.ndim == 2 else values
    if not isinstance(sample_rate_hz, int | np.integer) or sample_rate_hz <= 0:
        raise AudioError(f"{name}: the sample rate must be a whole number above 0, not {sample_rate_hz!r}")
    return Recording(np.ascontiguousarray(mono, np.float32), int(sample_rate_hz), name)


def _as_float(array: npt.NDArray[Any]) -> npt.NDArray[np.floating]:
    if array.dtype.kind == "f":
        floats: npt.NDArray[np.floating] = array
        return floats
    if array.dtype == np.uint8:
        return (array.astype(np.float64) - 128) / 128
    return array.astype(np.float64) / (float(np.iinfo(array.dtype).max) + 1)


def _described(array: npt.NDArray[Any]) -> str:
    return f"{array.ndim} dimensions of {array.dtype}"
