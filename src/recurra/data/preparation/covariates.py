"""Covariates as numbers: numeric columns standardised on the training rows, categories as one column each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recurra.data.categories import Vocabulary
from recurra.data.preparation.gaps import gap_input, missing_cells
from recurra.data.preparation.reference import Array
from recurra.errors import BadValueError, ConfigError

Column = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
Unseen = Literal["refuse", "ignore"]
MOST_CATEGORIES = 256


@dataclass(frozen=True)
class NumericColumn:
    """A numeric covariate, standardised with the training rows' mean and deviation.

    Args:
        mean, deviation: of the training rows.
        masked: whether it may be missing; a missing value is then the mean, and two more columns say that it is
            missing and for how long.
    """

    mean: float
    deviation: float
    masked: bool = False

    @property
    def width(self) -> int:
        """Columns of the encoded covariate."""
        return 3 if self.masked else 1

    def encode(self, values: Column, name: str = "", rows: Rows | None = None, since: Rows | None = None) -> Array:
        """[n] -> [n, width]; the column's name is for the error that refuses text, `since` counts missing rows."""
        if values.dtype.kind == "O":
            raise BadValueError(f"column {name!r} holds categories, but the model learned numbers there; correct it")
        encoded = ((values.astype(np.float64) - self.mean) / self.deviation)[:, None]
        if not self.masked and np.isnan(encoded).any():
            where = f"row {rows[int(np.argmax(np.isnan(values)))]}, " if rows is not None else ""
            raise BadValueError(f"{where}column {name!r}: the covariate is missing; fit with missing_covariates='mask'")
        return _with_mask(np.where(np.isnan(encoded), 0.0, encoded), values, since) if self.masked else encoded

    def to_config(self) -> dict[str, Any]:
        """Plain values for JSON."""
        masked = {"masked": True} if self.masked else {}
        return {"kind": "numeric", "mean": self.mean, "deviation": self.deviation, **masked}


@dataclass(frozen=True)
class CategoryColumn:
    """A categorical covariate: one column of zeros and ones for each category of the training rows.

    The first weights of a network turn each of these columns into a learned vector: this is an embedding.

    Args:
        vocabulary: the categories.
        shares: how often each occurred in the training rows; what stands for an unknown category, whose vector is then
            the mean of those that were learned. Only where a category may be unknown.
        unseen: whether a category that was not among the training rows is refused, or unknown.
        masked: whether a category may be missing; it is then unknown, and two more columns say that it is missing and
            for how long.
    """

    vocabulary: Vocabulary
    shares: tuple[float, ...] = ()
    unseen: Unseen = "refuse"
    masked: bool = False

    @property
    def width(self) -> int:
        """Columns of the encoded covariate."""
        return len(self.vocabulary) + (2 if self.masked else 0)

    def encode(self, values: Column, name: str = "", rows: Rows | None = None, since: Rows | None = None) -> Array:
        """[n] -> [n, width]; column and row numbers are for the error that refuses an unseen category."""
        if self.unseen == "refuse" and not self.masked:
            return np.eye(len(self.vocabulary))[self.vocabulary.encode(values, column=name, rows=rows)]
        unknown = missing_cells(values)
        if not self.masked:
            unknown[:] = False
        if self.unseen == "ignore":
            unknown |= np.array([isinstance(v, str) and v not in self.vocabulary for v in values.tolist()], bool)
        codes = np.full(len(values), -1, np.int64)
        known = ~unknown
        codes[known] = self.vocabulary.encode(values[known], column=name, rows=None if rows is None else rows[known])
        encoded = np.concatenate([np.eye(len(self.vocabulary)), np.array([self.shares])])[codes]
        return _with_mask(encoded, values, since) if self.masked else encoded

    def to_config(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain: dict[str, Any] = {"kind": "category", "vocabulary": self.vocabulary.to_config()}
        if self.masked or self.unseen != "refuse":
            plain |= {"shares": list(self.shares), "unseen": self.unseen, "masked": self.masked}
        return plain


def _with_mask(encoded: Array, values: Column, since: Rows | None) -> Array:
    missing = missing_cells(values)
    gap = np.zeros(len(values)) if since is None else gap_input(since)
    return np.concatenate([encoded, missing[:, None], gap[:, None]], axis=1)


@dataclass(frozen=True)
class CovariateEncoder:
    """Turns named columns into one matrix of numbers; fitted on training rows only."""

    columns: dict[str, NumericColumn | CategoryColumn]

    @classmethod
    def fit(
        cls, covariates: Mapping[str, Column], names: Sequence[str], masked: bool = False, unseen: Unseen = "refuse"
    ) -> "CovariateEncoder":
        """Learn mean and deviation, or the categories, of each named column from training rows.

        Args:
            covariates: name -> [n].
            names: the columns to take.
            masked: whether they may be missing.
            unseen: what to do about a category that is not among these rows.
        """
        return cls({name: _fit_column(name, covariates[name], masked, unseen) for name in names})

    @property
    def width(self) -> int:
        """Columns of the encoded matrix."""
        return sum(column.width for column in self.columns.values())

    @property
    def masked(self) -> tuple[str, ...]:
        """The columns that may be missing."""
        return tuple(name for name, column in self.columns.items() if column.masked)

    def encode(
        self,
        covariates: Mapping[str, Column],
        n: int,
        rows: Rows | None = None,
        since: Mapping[str, Rows] | None = None,
    ) -> Array:
        """The matrix [n, width] of n rows.

        Args:
            covariates: name -> [n].
            n: number of rows.
            rows: their numbers in the user's table, for errors.
            since: rows since the last known value of each column that may be missing, name -> [n].

        Raises:
            BadValueError: a category that was not among the training rows.
        """
        count = since or {}
        parts = [c.encode(covariates[name], name, rows, count.get(name)) for name, c in self.columns.items()]
        return np.concatenate(parts, axis=1) if parts else np.zeros((n, 0))

    def to_config(self) -> list[dict[str, Any]]:
        """Plain values for JSON: a list, because a JSON object keeps no order and the columns have one."""
        return [{"name": name, **column.to_config()} for name, column in self.columns.items()]

    @classmethod
    def from_config(cls, config: Sequence[Mapping[str, Any]]) -> "CovariateEncoder":
        """The encoder that `to_config` described."""
        columns: dict[str, NumericColumn | CategoryColumn] = {}
        for value in config:
            name, masked = str(value["name"]), bool(value.get("masked", False))
            if value["kind"] == "numeric":
                columns[name] = NumericColumn(float(value["mean"]), float(value["deviation"]), masked)
            else:
                vocabulary, shares = Vocabulary.from_config(value["vocabulary"]), tuple(value.get("shares", ()))
                columns[name] = CategoryColumn(vocabulary, shares, value.get("unseen", "refuse"), masked)
        return cls(columns)


def _fit_column(name: str, values: Column, masked: bool, unseen: Unseen) -> NumericColumn | CategoryColumn:
    known = values[~missing_cells(values)] if masked else values
    if values.dtype == np.float64:
        if len(known) == 0 or known.min() == known.max():
            return NumericColumn(float(known[0]) if len(known) else 0.0, 1.0, masked)
        return NumericColumn(float(known.mean()), float(known.std()), masked)
    vocabulary = Vocabulary.fit(known)
    if len(vocabulary) > MOST_CATEGORIES:
        raise ConfigError(
            f"column {name!r} has {len(vocabulary)} different values; as a category at most {MOST_CATEGORIES} can be "
            "learned: group the rare ones, or give the column as a number"
        )
    if unseen == "refuse" and not masked:
        return CategoryColumn(vocabulary)
    counts = np.bincount(vocabulary.encode(known), minlength=len(vocabulary))
    return CategoryColumn(vocabulary, tuple((counts / max(len(known), 1)).tolist()), unseen, masked)
