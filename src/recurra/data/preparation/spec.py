"""What a forecasting network's inputs are made of, as plain values that travel with the model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from recurra.data.frequency import Frequency
from recurra.data.preparation.reference import Reference, ReferenceKind

FOLLOWING = ("running", "instance", "log")
LATER = {"show_gap", "static", "targets", "lookback"}


@dataclass(frozen=True)
class PreparationSpec:
    """The choices behind the inputs; nothing here is learned from values.

    Args:
        horizon: steps ahead.
        season: steps of a season, 1 for none.
        reference: the naive rule that forecasts start from.
        scaling: "running", "instance" or "log", which follow each series' own past, or the kind of scale fixed at fit.
        frequency: code of the step between rows.
        memory: observations that a scale which follows the past reaches back over.
        time_zone: whose clock the calendar features are read from; None for the stamps as they are.
        calendar: names of calendar features.
        past, future: names of the covariates.
        show_missing: whether the network is told that the target is missing.
        show_gap: whether it is told for how many rows it has been missing.
        static: names of the columns with one value a series.
        targets: names of the targets, if there are several.
        lookback: last values of the target that the network reads at each origin, beside its inputs; 0 for none.
    """

    horizon: int
    season: int
    reference: ReferenceKind
    scaling: str
    frequency: str
    memory: int = 32
    time_zone: str | None = None
    calendar: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    show_missing: bool = False
    show_gap: bool = False
    static: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    lookback: int = 0

    @property
    def lags(self) -> tuple[int, ...]:
        """Look-backs shown to the network."""
        return Reference(self.reference, self.season).lags(self.horizon)

    @property
    def step(self) -> Frequency:
        """The step between rows."""
        return Frequency.parse(self.frequency)

    @property
    def follows(self) -> bool:
        """Whether level and scale follow each series' own past instead of being fixed at fit."""
        return self.scaling in FOLLOWING

    def to_config(self) -> dict[str, Any]:
        """Plain values for JSON; those that older models do not have are left out at their defaults."""
        plain = {field.name for field in fields(self) if getattr(self, field.name) == field.default} & LATER
        return {name: value for name, value in asdict(self).items() if name not in plain}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "PreparationSpec":
        """The spec that `to_config` described."""
        lists = {name: tuple(config.get(name, ())) for name in ("calendar", "past", "future", "static", "targets")}
        return cls(**{**config, **lists})
