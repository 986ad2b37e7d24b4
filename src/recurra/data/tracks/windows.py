"""Windows over tracks: the pieces to learn from, and the benchmark's windows over all objects of a scene."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.data.tracks.table import TrackTable
from recurra.errors import ConfigError, TooShortError

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TrackWindows:
    """Stretches of consecutive fixes, each within one piece of a track.

    Attributes:
        rows: the rows of each window, [W, fixes]; a shorter window repeats its last row.
        lengths: its fixes, [W].
        moment: which windows were seen at the same time in the same scene: the number of their moment, [W].
    """

    rows: Ints
    lengths: Ints
    moment: Ints

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def last_rows(self) -> Ints:
        """The row of each window that a prediction is made from, [W]."""
        return self.rows[np.arange(len(self)), self.lengths - 1]

    def order(self, seed: int, epoch: int) -> Ints:
        """The windows in the order of one epoch, [W]: a function of `seed` and `epoch` alone."""
        return np.random.default_rng(np.random.SeedSequence([seed, epoch])).permutation(len(self))


def learning_windows(
    table: TrackTable, context: int, max_gap_s: float, known_after: npt.NDArray[np.bool_]
) -> TrackWindows:
    """Every stretch of up to `context` fixes of a piece that has something known after it.

    A stretch begins at each fix; one that begins near the end of its piece is shorter. At least two fixes, so that
    there is a velocity, and at least one position known after the last of them or one before.

    Args:
        table: the tracks.
        context: most fixes of a window.
        max_gap_s: longest time between two fixes of one piece.
        known_after: whether anything is known after each row, [rows].

    Raises:
        ConfigError: if context is below 2.
        TooShortError: if no piece has two fixes and a third to learn from.
    """
    if context < 2:
        raise ConfigError(f"context={context} must be at least 2: a velocity takes two fixes")
    piece = table.pieces(max_gap_s)
    end = np.searchsorted(piece, piece, side="right")
    start = np.arange(len(table))
    lengths = np.minimum(context, end - start)
    second = np.minimum(start + 1, len(table) - 1)
    usable = (lengths >= 2) & known_after[second] & (piece[second] == piece)
    whole = usable & ((lengths == context) | _begins(piece))
    chosen = np.flatnonzero(whole)
    if not len(chosen):
        raise TooShortError(
            f"no track is long enough to learn from: two fixes and a third after them are needed without a gap, the "
            f"longest of {table.n_tracks} tracks has {int(table.lengths.max(initial=0))}; give longer tracks, or a "
            "larger max_gap"
        )
    rows = np.minimum(chosen[:, None] + np.arange(context), (chosen + lengths[chosen] - 1)[:, None])
    return TrackWindows(rows, lengths[chosen], np.arange(len(chosen)))


def scene_windows(table: TrackTable, observed: int, horizon: int, least_objects: int = 2) -> TrackWindows:
    """The windows of the ETH/UCY benchmark: they slide by one over the sorted distinct times of each scene.

    An object takes part in a window if it has a fix at each of its observed + horizon times; a window counts if at
    least so many objects do. The times of a window need not be evenly spaced: times at which nobody was seen are not
    among them.

    Args:
        table: the tracks; its scenes are taken one by one.
        observed: fixes that are seen.
        horizon: fixes after them.
        least_objects: objects that a window must have.

    Returns:
        Windows of observed + horizon fixes; the moment numbers the windows over scenes and times.

    Raises:
        ConfigError: if a number is below 1.

    Source: the data loader of Social GAN (Gupta et al. 2018), which counts windows with at least two people.
    """
    for name, value in (("observed", observed), ("horizon", horizon), ("least_objects", least_objects)):
        if value < 1:
            raise ConfigError(f"{name}={value} must be at least 1")
    total = observed + horizon
    frame = frame_numbers(table)
    owner = table.owner
    starts = np.arange(max(len(table) - total + 1, 0))
    ends = starts + total - 1
    whole = (owner[starts] == owner[ends]) & (frame[ends] - frame[starts] == total - 1)
    starts = starts[whole]
    first = frame[starts]
    moments, number, members = np.unique(first, return_inverse=True, return_counts=True)
    kept = members[number] >= least_objects if len(moments) else np.zeros(0, np.bool_)
    starts, first = starts[kept], first[kept]
    order = np.argsort(first, kind="stable")
    starts, first = starts[order], first[order]
    moment = np.unique(first, return_inverse=True)[1] if len(first) else first
    return TrackWindows(starts[:, None] + np.arange(total), np.full(len(starts), total), moment.astype(np.int64))


def frame_numbers(table: TrackTable) -> Ints:
    """Number of each row's time among the sorted distinct times of its scene, [rows]; scenes lie far apart."""
    order = np.lexsort((table.time, table.scene))
    new = (np.diff(table.time[order], prepend=np.nan) != 0) | (np.diff(table.scene[order], prepend=-1) != 0)
    new_scene = np.diff(table.scene[order], prepend=-1) != 0
    apart = len(table) + 1
    frame = np.empty(len(table), np.int64)
    frame[order] = np.cumsum(new) + apart * np.cumsum(new_scene)
    return frame


def _begins(piece: Ints) -> npt.NDArray[np.bool_]:
    begins: npt.NDArray[np.bool_] = np.diff(piece, prepend=-1) > 0
    return begins
