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
LOUDEST = 8.0
FEW_CHANNELS = 8


@dataclass(frozen=True)
class Recording:
    """Samples between -1 and 1 of one channel; at least one, all finite.

    Attributes:
        samples: [n], float32.
        sample_rate_hz: samples a second.
        name: what errors call it.
        clipped: whether one of the channels that it was made of has samples in a row at full scale.
    """

    samples: Samples
    sample_rate_hz: int
    name: str = "recording"
    clipped: bool = False

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.sample_rate_hz

    @property
    def blemishes(self) -> tuple[str, ...]:
        """What is wrong with it although it can be used: "silent", or "clipped" samples in a row at full scale."""
        found = []
        if float(np.abs(self.samples).max()) < SILENT_PEAK:
            found.append("silent")
        if self.clipped or is_clipped(self.samples):
            found.append("clipped")
        return tuple(found)

    def at_rate(self, sample_rate_hz: int) -> "Recording":
        """The same recording, resampled."""
        if sample_rate_hz == self.sample_rate_hz:
            return self
        samples = resample(self.samples, self.sample_rate_hz, sample_rate_hz)
        return Recording(samples, sample_rate_hz, self.name, self.clipped or is_clipped(self.samples))


def is_clipped(samples: npt.NDArray[np.floating]) -> bool:
    """Whether, in [n] or in one channel of [n, channels], over a thousandth of the samples follow one at full scale."""
    loud = np.abs(samples) >= FULL_SCALE
    return len(loud) > 1 and float(np.mean(loud[1:] & loud[:-1], axis=0).max()) > CLIPPED_SHARE


def as_recording(samples: Any, sample_rate_hz: int, name: str = "recording") -> Recording:
    """A NumPy array as a recording.

    Args:
        samples: [n], or [n, channels], which are averaged; floats between -1 and 1, or whole numbers of at most 32
            bits, which are divided by the largest of their type (8 unsigned bits are centred first).
        sample_rate_hz: samples a second.
        name: what errors call it.

    Raises:
        AudioError: if there is no sample, one is not finite, or the array is no signal: channels before samples,
            whole numbers of 64 bits, floats far beyond 1.
    """
    array = to_array(samples, name)
    if array.dtype.kind not in "iuf" or array.ndim not in (1, 2):
        raise AudioError(f"{name}: a signal is an array of numbers [n] or [n, channels], not {_described(array)}")
    if array.size == 0:
        raise AudioError(f"{name} holds no samples; leave it out")
    if array.ndim == 2 and array.shape[1] > max(len(array), FEW_CHANNELS):
        raise AudioError(
            f"{name} would have {array.shape[1]} channels of {len(array)} samples; hand in [n, channels]: transpose it"
        )
    values = _as_float(array, name)
    if not np.isfinite(values).all():
        at = int(np.argmax(~np.isfinite(values).reshape(len(values), -1).all(1)))
        raise AudioError(
            f"{name}: sample {at} is {values[at]}, not a finite number; mend the recording or leave it out"
        )
    if float(np.abs(values).max()) > LOUDEST:
        raise AudioError(
            f"{name} has samples up to {np.abs(values).max():g}; floats lie between -1 and 1: "
            "divide 16-bit sound by 32768"
        )
    mono = values.mean(axis=1) if values.ndim == 2 else values
    if not isinstance(sample_rate_hz, int | np.integer) or sample_rate_hz <= 0:
        raise AudioError(f"{name}: the sample rate must be a whole number above 0, not {sample_rate_hz!r}")
    return Recording(np.ascontiguousarray(mono, np.float32), int(sample_rate_hz), name, is_clipped(values))


def to_array(item: Any, name: str) -> npt.NDArray[Any]:
    """Anything as an array.

    Raises:
        AudioError: its rows are of different lengths, or it is nothing that an array can hold.
    """
    try:
        return np.asarray(item)
    except (ValueError, TypeError, RuntimeError) as error:
        raise AudioError(f"{name} is no array of numbers: {error}") from error


def _as_float(array: npt.NDArray[Any], name: str) -> npt.NDArray[np.floating]:
    if array.dtype.kind == "f":
        floats: npt.NDArray[np.floating] = array
        return floats
    if array.dtype == np.uint8:
        return (array.astype(np.float64) - 128) / 128
    if array.dtype.itemsize > 4:
        raise AudioError(f"{name} holds {array.dtype}, which has no full scale; give its type, as .astype(np.int16)")
    return array.astype(np.float64) / (float(np.iinfo(array.dtype).max) + 1)


def _described(array: npt.NDArray[Any]) -> str:
    return f"{array.ndim} dimensions of {array.dtype}"
