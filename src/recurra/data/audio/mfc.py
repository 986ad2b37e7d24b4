"""Ready-made features: the .mfc files of CMU's Sphinx tools."""

from os import PathLike

import numpy as np
import numpy.typing as npt

from recurra.data.audio.files import existing_file
from recurra.errors import AudioError


def read_mfc(path: str | PathLike[str], n_coefficients: int = 13) -> npt.NDArray[np.float32]:
    """A Sphinx feature file: a 4-byte count of numbers, then that many float32; of either byte order.

    The file does not tell how many numbers a frame has: 39 columns read as 13 are three times as many frames.

    Args:
        path: the file.
        n_coefficients: numbers of a frame; 13 is what Sphinx writes by default.

    Returns:
        [frames, n_coefficients].

    Raises:
        AudioError: the file is missing, empty, truncated, of another layout, or holds NaN.
    """
    place = existing_file(path)
    try:
        content = place.read_bytes()
    except OSError as error:
        raise AudioError(f"{place} cannot be read: {error.strerror or error}; check the path") from error
    if len(content) <= 4:
        raise AudioError(f"{place} holds no frames; leave it out or make it again")
    promised = {order: int(np.frombuffer(content[:4], f"{order}i4")[0]) for order in (">", "<")}
    held = (len(content) - 4) // 4
    order = next((order for order, count in promised.items() if count == held), None)
    if order is None or len(content) % 4:
        raise AudioError(
            f"{place} is truncated or no .mfc file: its header promises {promised['>']} numbers, not {held}"
        )
    if held % n_coefficients:
        raise AudioError(f"{place}: {held} numbers are no whole frames of {n_coefficients}; say n_coefficients")
    frames = np.frombuffer(content[4:], f"{order}f4").astype(np.float32).reshape(-1, n_coefficients)
    if not np.isfinite(frames).all():
        at = int(np.argmax(~np.isfinite(frames).all(axis=1)))
        raise AudioError(f"{place}: frame {at} holds a number that is not finite; make the file again")
    return frames
