"""Covariates as numbers: numeric columns standardised on the training rows, categories as one column each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.categories import Vocabulary
from recurra.data.preparation.reference import Array
from recurra.errors import BadValueError, ConfigError

Column = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
MOST_CATEGORIES = 256


@dataclass(frozen=True)
class NumericColumn:
    """A numeric covariate, standardised with the training rows' mean and deviation."""

    mean: float
    deviation: float

    width = 1

    def encode(self, values: Column, name: str = "", rows: Rows | None = None) -> Array:
        """[n] -> [n, 1]; the column's name is for the error that refuses text."""
        del rows
        if values.dtype.kind == "O":
            raise BadValueError(f"column {name!r} holds categories, but the model learned numbers there; correct it")
        return ((values.astype(np.float64) - self.mean) / self.deviation)[:, None]

    def to_config(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"kind": "numeric", "mean": self.mean, "deviation": self.deviation}


@dataclass(frozen=True)
class CategoryColumn:
    """A categorical covariate: one column of zeros and ones for each category of the training rows."""

    vocabulary: Vocabulary

    @property
    def width(self) -> int:
        """Number of categories."""
        return len(self.vocabulary)

    def encode(self, values: Column, name: str = "", rows: Rows | None = None) -> Array:
        """[n] -> [n, categories]; column and row numbers are for the error that refuses an unseen category."""
        codes = self.vocabulary.encode(values, column=name, rows=rows)
        return np.eye(self.width)[codes]

    def to_config(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"kind": "category", "vocabulary": self.vocabulary.to_config()}


@dataclass(frozen=True)
class CovariateEncoder:
    """Turns named columns into one matrix of numbers; fitted on training rows only."""

    columns: dict[str, NumericColumn | CategoryColumn]

    @classmethod
    def fit(cls, covariates: Mapping[str, Column], names: Sequence[str]) -> "CovariateEncoder":
        """Learn mean and deviation, or the categories, of each named column from training rows."""
        return cls({name: _fit_column(name, covariates[name]) for name in names})

    @property
    def width(self) -> int:
        """Columns of the encoded matrix."""
        return sum(column.width for column in self.columns.values())

    def encode(self, covariates: Mapping[str, Column], n: int, rows: Rows | None = None) -> Array:
        """The matrix [n, width] of n rows.

        Args:
            covariates: name -> [n].
            n: number of rows.
            rows: their numbers in the user's table, for errors.

        Raises:
            BadValueError: a category that was not among the training rows.
        """
        parts = [column.encode(covariates[name], name, rows) for name, column in self.columns.items()]
        return np.concatenate(parts, axis=1) if parts else np.zeros((n, 0))

    def to_config(self) -> list[dict[str, Any]]:
        """Plain values for JSON: a list, because a JSON object keeps no order and the columns have one."""
        return [{"name": name, **column.to_config()} for name, column in self.columns.items()]

    @classmethod
    def from_config(cls, config: Sequence[Mapping[str, Any]]) -> "CovariateEncoder":
        """The encoder that `to_config` described."""
        columns: dict[str, NumericColumn | CategoryColumn] = {}
        for value in config:
            name = str(value["name"])
            if value["kind"] == "numeric":
                columns[name] = NumericColumn(float(value["mean"]), float(value["deviation"]))
            else:
                columns[name] = CategoryColumn(Vocabulary.from_config(value["vocabulary"]))
        return cls(columns)


def _fit_column(name: str, values: Column) -> NumericColumn | CategoryColumn:
    if values.dtype == np.float64:
        if values.min() == values.max():
            return NumericColumn(float(values[0]), 1.0)
        return NumericColumn(float(values.mean()), float(values.std()))
    vocabulary = Vocabulary.fit(values)
    if len(vocabulary) > MOST_CATEGORIES:
        raise ConfigError(
            f"column {name!r} has {len(vocabulary)} different values; as a category at most {MOST_CATEGORIES} can be "
            "learned: group the rare ones, or give the column as a number"
        )
    return CategoryColumn(vocabulary)
