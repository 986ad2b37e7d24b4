"""Covariates of streams that carry their last value on where one is missing, as `missing_covariates="last"` asks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from recurra.data.series import SeriesTable
from recurra.errors import BadValueError
from recurra.prediction.arrivals import Arrival

Values = dict[str, dict[str, Any]]


class LastValues:
    """The last known covariates of each series.

    Args:
        names: of the covariates that are carried on.
        values: series -> name -> value.
    """

    def __init__(self, names: Sequence[str], values: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.names = tuple(names)
        self._values = {series: dict(known) for series, known in (values or {}).items()}

    @classmethod
    def of(cls, names: Sequence[str], table: SeriesTable) -> "LastValues":
        """Those of a table's last rows, which are filled already."""
        lasts = zip(table.ids, table.offsets[1:] - 1, strict=True)
        values = {str(series): {name: _plain(table.covariates[name][row]) for name in names} for series, row in lasts}
        return cls(names, values if names else None)

    def fill(self, arrivals: Sequence[Arrival]) -> tuple[list[Arrival], Values]:
        """The rows with what is missing taken from the rows before, and the last values after them; changes nothing.

        Raises:
            BadValueError: for a missing value with none before it in its series.
        """
        latest: Values = {}
        filled = []
        for arrival in arrivals if self.names else ():
            known = latest.setdefault(arrival.name, dict(self._values.get(arrival.name, {})))
            known.update({n: v for n, v in arrival.covariates.items() if n in self.names and not _is_missing(v)})
            absent = [name for name in self.names if name not in known]
            if absent:
                raise BadValueError(
                    f"{arrival.place.column(absent[0])}: the covariate is missing, and its series has no value of it "
                    "before; fill it in"
                )
            filled.append(replace(arrival, covariates={**arrival.covariates, **known}))
        return (filled, latest) if self.names else (list(arrivals), latest)

    def keep(self, latest: Values) -> None:
        """Take over what `fill` came to."""
        self._values.update(latest)

    def copy(self) -> "LastValues":
        """An independent copy."""
        return LastValues(self.names, self._values)

    def to_config(self) -> Values:
        """Plain values for a snapshot."""
        return {series: {n: _plain(value) for n, value in known.items()} for series, known in self._values.items()}


def _is_missing(value: Any) -> bool:
    return value is None or bool(value != value)  # noqa: PLR0124  NaN is unlike itself


def _plain(value: Any) -> Any:
    """A numpy number as Python's own."""
    return float(value) if isinstance(value, float) else value
