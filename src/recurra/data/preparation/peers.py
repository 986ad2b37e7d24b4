"""Several targets of one series: what the network is shown of the others, and which of them it is asked for."""

import numpy as np
import numpy.typing as npt

from recurra.data.preparation.reference import Array

Bools = npt.NDArray[np.bool_]


def peer_width(n_targets: int, show_missing: bool) -> int:
    """Number of these inputs for so many targets; none for one."""
    return n_targets * (3 if show_missing else 2) if n_targets > 1 else 0


def peer_inputs(level: Array, observed: Bools, own: Bools, show_missing: bool) -> Array:
    """The latest level of every target of a series in its own scale, whether it was observed, and which one is asked.

    Every target has its place, so that a weight always means the same one.

    Args:
        level: of each target, filled where it is missing, zero for one that is not there, [n, T].
        observed: whether it was observed at this very row, [n, T].
        own: which of them is asked for, [n, T].
        show_missing: whether missing targets are masked.

    Returns:
        [n, 2 T or 3 T].
    """
    flags = [observed, own] if show_missing else [own]
    return np.concatenate([level, *(flag.astype(np.float64) for flag in flags)], axis=1)
