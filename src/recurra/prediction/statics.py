"""Static covariates of streams: each series gives them once, and never gives another value."""

from collections.abc import Mapping, Sequence
from typing import Any

from recurra.data.series import SeriesTable
from recurra.errors import BadValueError, MissingColumnError
from recurra.prediction.arrivals import Arrival


class StaticValues:
    """The static covariates of the series that have begun.

    Args:
        names: of the columns.
        values: of each series that has begun, series -> column -> value.
    """

    def __init__(self, names: Sequence[str], values: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.names = tuple(names)
        self._values = {series: dict(known) for series, known in (values or {}).items()}

    @classmethod
    def of(cls, names: Sequence[str], table: SeriesTable) -> "StaticValues":
        """Those of a table's series."""
        firsts = table.offsets[:-1]
        values = {
            str(series): {name: _plain(table.covariates[name][first]) for name in names}
            for series, first in zip(table.ids, firsts, strict=True)
        }
        return cls(names, values if names else None)

    def check(self, arrivals: Sequence[Arrival]) -> None:
        """Refuse rows that give another value than their series did, or begin a series without one; changes nothing.

        Raises:
            MissingColumnError: for the first row of a series that lacks one.
            BadValueError: for a value unlike the series' own.
        """
        first: dict[str, dict[str, Any]] = {}
        for arrival in arrivals if self.names else ():
            known = self._values.get(arrival.name) or first.setdefault(arrival.name, {})
            for name in self.names:
                if name not in arrival.covariates:
                    if name not in known:
                        raise MissingColumnError(
                            f"{arrival.place.column(name)}: the first row of a series gives its static columns; add it"
                        )
                    continue
                value = _plain(arrival.covariates[name])
                if known.setdefault(name, value) != value:
                    raise BadValueError(
                        f"{arrival.place.column(name)}: {value!r} is unlike {known[name]!r} before, "
                        "but a static column has one value a series; correct it, or leave the column out"
                    )

    def take(self, arrival: Arrival) -> dict[str, Any]:
        """The static covariates of a row that was checked; those of a new series are kept."""
        if not self.names:
            return {}
        if arrival.name not in self._values:
            self._values[arrival.name] = {name: _plain(arrival.covariates[name]) for name in self.names}
        return self._values[arrival.name]

    def copy(self) -> "StaticValues":
        """An independent copy."""
        return StaticValues(self.names, self._values)

    def to_config(self) -> dict[str, dict[str, Any]]:
        """Plain values for a snapshot."""
        return {series: dict(known) for series, known in self._values.items()}


def _plain(value: Any) -> Any:
    """A numpy number as Python's own."""
    return float(value) if isinstance(value, float) else value
