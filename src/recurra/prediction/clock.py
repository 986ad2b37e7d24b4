"""The next time stamps of streams and what the calendar says of them, worked out in blocks that all streams share."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recurra.data.preparation import Preparation

BLOCK = 256
BLOCKS = 8


class Ahead(NamedTuple):
    """After one stamp: the next `horizon` stamps, and the calendar features of the stamp itself and of those."""

    ds: npt.NDArray[Any]
    calendar: npt.NDArray[np.float64]


class Clock:
    """Stamps and calendar features ahead of any stamp of a grid.

    A block holds `BLOCK` stamps in a row; streams that keep step with each other share it. At most `BLOCKS` are kept.

    Args:
        preparation: of the model.
    """

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation
        self._horizon, self._step = preparation.spec.horizon, preparation.spec.step
        self._blocks: list[tuple[dict[int, int], npt.NDArray[Any], npt.NDArray[np.float64]]] = []

    def after(self, stamp: Any) -> Ahead:
        """What lies ahead of a stamp."""
        key = int(stamp.astype(np.int64)) if hasattr(stamp, "astype") else int(stamp)
        for places, ds, calendar in self._blocks:
            k = places.get(key)
            if k is not None:
                return Ahead(ds[k + 1 : k + 1 + self._horizon], calendar[k : k + 1 + self._horizon])
        self._add(stamp)
        return self.after(stamp)

    def _add(self, stamp: Any) -> None:
        dtype = np.int64 if self._step.is_index else np.dtype("datetime64[us]")
        first = np.array([stamp], dtype)
        ds = np.concatenate([first, self._step.steps_after(first, BLOCK + self._horizon)[0]])
        places = {key: k for k, key in enumerate(ds[:BLOCK].astype(np.int64).tolist())}
        self._blocks = [(places, ds, self._preparation.calendar(ds)), *self._blocks[: BLOCKS - 1]]
