"""Categories as whole numbers: a vocabulary that is fitted once and refuses what it has not seen."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.errors import BadValueError


class Vocabulary:
    """Categories and their codes 0, 1, ... in alphabetical order.

    Args:
        values: the categories; repetitions count once.
    """

    def __init__(self, values: Iterable[str]) -> None:
        self.values = tuple(sorted(set(values)))
        self._codes = {value: code for code, value in enumerate(self.values)}

    @classmethod
    def fit(cls, values: Iterable[str]) -> "Vocabulary":
        """The vocabulary of all categories that occur in the training rows."""
        return cls(values)

    def __len__(self) -> int:
        return len(self.values)

    def __contains__(self, value: object) -> bool:
        return value in self._codes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.values == other.values

    def __hash__(self) -> int:
        return hash(self.values)

    def encode(
        self, values: npt.ArrayLike, *, column: str | None = None, rows: npt.NDArray[np.int64] | None = None
    ) -> npt.NDArray[np.int64]:
        """The code of each category, same shape.

        Args:
            values: categories.
            column: name of their column, for the error.
            rows: their row numbers in the user's table, for the error.

        Raises:
            BadValueError: for a category that was not seen at fit; names it, and the row and column if given.
        """
        array = np.asarray(values, object)
        flat = array.reshape(-1).tolist()
        try:
            codes = [self._codes[value] for value in flat]
        except (KeyError, TypeError):
            at = next(i for i, value in enumerate(flat) if not isinstance(value, str) or value not in self._codes)
            row = f"row {rows.reshape(-1)[at]}, " if rows is not None else ""
            where = row + (f"column {column!r}: " if column is not None else "")
            some = ", ".join(map(repr, self.values[:5])) + (", ..." if len(self) > 5 else "")
            raise BadValueError(
                f"{where}category {flat[at]!r} was not seen at fit ({some}); correct it, or fit with rows that have it"
            ) from None
        return np.array(codes, np.int64).reshape(array.shape)

    def decode(self, codes: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """The category of each code, same shape."""
        return np.asarray(np.array(self.values, object)[np.asarray(codes, np.int64)])

    def to_config(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {"values": list(self.values)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Vocabulary":
        """What `to_config` wrote."""
        return cls(config["values"])
