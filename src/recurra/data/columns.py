"""How a table's columns are named and written, and what to do about its blemishes."""

from dataclasses import dataclass
from typing import Literal

from recurra.data.targets import SEPARATOR, TARGET_COLUMN
from recurra.errors import ConfigError

_CHOICES = {
    "missing": ("refuse", "mask"),
    "unsorted": ("refuse", "sort"),
    "gaps": ("refuse", "fill"),
    "missing_covariates": ("refuse", "last", "mask"),
}


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a long table, and how its dates are written.

    Attributes:
        unique_id: the series a row belongs to; None if the table holds one series.
        ds: the time stamp.
        y: the target.
        date_format: how `ds` is written where it is text, as in `datetime.strptime` ("%d/%m/%Y"); None to find out,
            which refuses a column that reads both day first and month first.
        categorical: covariates that are categories although they hold numbers.
        static: columns with one value a series, read beside the covariates.
        more_targets: further targets; each series then stands in the table once for every target, see
            `recurra.data.targets`.
    """

    unique_id: str | None = "unique_id"
    ds: str = "ds"
    y: str = "y"
    date_format: str | None = None
    categorical: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    more_targets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        used = [name for name in (self.unique_id, self.ds, self.y, *self.more_targets) if name is not None]
        if len(set(used)) != len(used):
            raise ConfigError(f"columns {used} must differ; one column cannot be two of unique_id, ds and y")
        for name in self.targets if self.more_targets else ():
            if SEPARATOR in name:
                raise ConfigError(f"target {name!r} has {SEPARATOR!r} in its name, which tells series and target apart")
        if self.more_targets and TARGET_COLUMN in (self.unique_id, self.ds):
            raise ConfigError(f"forecasts of several targets have a column {TARGET_COLUMN!r}; rename the table's own")

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of all targets."""
        return self.y, *self.more_targets


@dataclass(frozen=True)
class TablePolicy:
    """What to do about a table's blemishes; whatever is not declared here is refused.

    Attributes:
        missing: a missing or NaN target is refused, or kept as a masked NaN ("mask").
        unsorted: rows that go back in time are refused, or sorted ("sort").
        gaps: missing rows are refused, or inserted with a masked target ("fill", which needs missing="mask").
        missing_covariates: a missing covariate is refused, takes the last value before it in its series ("last"), or
            stays missing, as NaN or None ("mask"); that holds for inserted rows too.

    Raises:
        ConfigError: for an unknown word, or gaps="fill" without missing="mask".
    """

    missing: Literal["refuse", "mask"] = "refuse"
    unsorted: Literal["refuse", "sort"] = "refuse"
    gaps: Literal["refuse", "fill"] = "refuse"
    missing_covariates: Literal["refuse", "last", "mask"] = "refuse"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(
                    f"{name}={getattr(self, name)!r} is unknown; use one of {', '.join(map(repr, choices))}"
                )
        if self.gaps == "fill" and self.missing != "mask":
            raise ConfigError("gaps='fill' inserts rows without a target; give missing='mask' with it")
