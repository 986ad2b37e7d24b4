"""Recordings from files: wav, flac and whatever else libsndfile reads, through soundfile."""

import struct
from os import PathLike
from pathlib import Path
from typing import Any

from recurra.data.audio.recording import Recording, as_recording
from recurra.errors import AudioError, MissingExtraError

ENDINGS = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".au")


def read_recording(path: str | PathLike[str], sample_rate_hz: int | None = None) -> Recording:
    """A file as a recording of one channel.

    Args:
        path: an audio file; several channels are averaged.
        sample_rate_hz: rate to resample to; the file's own if None.

    Raises:
        AudioError: the file is missing, empty, truncated, not audio, without samples, or holds NaN.
        MissingExtraError: soundfile is not installed.
    """
    place = existing_file(path)
    samples, rate = _read(place)
    if len(samples) == 0:
        raise AudioError(f"{place} holds no samples; leave it out or record it again")
    recording = as_recording(samples, rate, str(place))
    return recording if sample_rate_hz is None else recording.at_rate(sample_rate_hz)


def existing_file(path: str | PathLike[str]) -> Path:
    """The place of a file that is there, may be read and is not empty.

    Raises:
        AudioError: it is none of these, or its name cannot be one.
    """
    place = Path(path)
    try:
        if not place.is_file():
            raise AudioError(f"{place}: there is no such file; check the path")
        with place.open("rb") as file:
            if not file.read(1):
                raise AudioError(f"{place} is empty (0 bytes); leave it out or make it again")
    except OSError as error:
        raise AudioError(f"{place} cannot be opened: {error.strerror or error}; check the path") from error
    return place


def _read(path: Path) -> tuple[Any, int]:
    sound = _soundfile()
    try:
        with sound.SoundFile(path) as file:
            promised, rate = file.frames, int(file.samplerate)
            samples = file.read(dtype="float32")
    except sound.LibsndfileError as error:
        reason = str(error.error_string).rstrip(".")
        raise AudioError(f"{path} cannot be read as audio ({reason}); convert it to wav or flac") from error
    except (TypeError, ValueError, OSError, RuntimeError, MemoryError) as error:
        raise AudioError(f"{path} cannot be read as audio ({error}); convert it to wav or flac") from error
    missing = max(promised - len(samples), _missing_bytes(path))
    if missing > 0:
        raise AudioError(f"{path} is truncated: it ends before the samples its header promises; copy it again")
    return samples, rate


def _missing_bytes(path: Path) -> int:
    """Bytes of sample data that a wav file's header promises and the file does not hold."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF" or len(file.read(8)) != 8:
            return 0
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                unknown = size >= 0x7FFFFFFF  # written to a pipe: the size was not known
                return 0 if unknown else int(size) - (path.stat().st_size - file.tell())
            file.seek(size + size % 2, 1)
    return 0


def _soundfile() -> Any:
    try:
        import soundfile
    except (ImportError, OSError) as error:
        raise MissingExtraError(
            f"reading audio files needs soundfile: pip install 'recurra[speech]' ({error})"
        ) from error
    return soundfile
