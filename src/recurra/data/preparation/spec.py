"""What a forecasting network's inputs are made of, as plain values that travel with the model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recurra.data.frequency import Frequency
from recurra.data.preparation.reference import Reference, ReferenceKind


@dataclass(frozen=True)
class PreparationSpec:
    """The choices behind the inputs; nothing here is learned from values.

    Args:
        horizon: steps ahead.
        season: steps of a season, 1 for none.
        reference: the naive rule that forecasts start from.
        scaling: "running", or the kind of scale fixed at fit.
        frequency: code of the step between rows.
        memory: observations that a running scale reaches back over.
        time_zone: whose clock the calendar features are read from; None for the stamps as they are.
        calendar: names of calendar features.
        past, future: names of the covariates.
        show_missing: whether the network is told that the target is missing.
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
    lookback: int = 0

    @property
    def lags(self) -> tuple[int, ...]:
        """Look-backs shown to the network."""
        return Reference(self.reference, self.season).lags(self.horizon)

    @property
    def step(self) -> Frequency:
        """The step between rows."""
        return Frequency.parse(self.frequency)

    def to_config(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = asdict(self)
        return values if self.lookback else {name: value for name, value in values.items() if name != "lookback"}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "PreparationSpec":
        """The spec that `to_config` described."""
        lists = {name: tuple(config[name]) for name in ("calendar", "past", "future")}
        return cls(**{**config, **lists})
