"""How the columns of a market table are named, and what to do about its blemishes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from recurra.data.market.trading_days import CLOSED
from recurra.errors import ConfigError

Splits = Literal["refuse", "adjust", "ignore"]
_CHOICES = {
    "splits": ("refuse", "adjust", "ignore"),
    "gaps": ("refuse", "mask"),
    "missing": ("refuse", "mask"),
    "unsorted": ("refuse", "sort"),
}


@dataclass(frozen=True)
class MarketColumns:
    """Names of the columns of a market table; None for a column that is not there.

    Returns are read where they are named, else made from `close`. Variances are read where `realised` is named, else
    made from open, high, low and close, else from squared returns.

    Attributes:
        unique_id: the asset a row belongs to; None if the table holds one.
        ds: the trading day.
        close: closing price.
        open, high, low: the day's other prices, all three or none.
        adjusted_close: closing price after splits and dividends; returns are then made from it.
        returns: log return from the close before, in percent.
        realised: realised variance of the day, in percent squared.
        covariates: further numbers known at the day's close.
        log_covariates: further positive numbers, of which the logarithm is used, such as an index of volatility.
        date_format: how days are written where they are text; None to find out.
    """

    unique_id: str | None = None
    ds: str = "ds"
    close: str | None = "close"
    open: str | None = None
    high: str | None = None
    low: str | None = None
    adjusted_close: str | None = None
    returns: str | None = None
    realised: str | None = None
    covariates: tuple[str, ...] = ()
    log_covariates: tuple[str, ...] = ()
    date_format: str | None = None

    def __post_init__(self) -> None:
        ranges = [self.open, self.high, self.low]
        if any(ranges) and not all((*ranges, self.close)):
            raise ConfigError(
                "a day's range needs all of open, high, low and close; name the four columns, or close only"
            )
        if self.close is None and self.returns is None:
            raise ConfigError("there is nothing to forecast: name a column of closing prices (close) or of returns")
        if self.adjusted_close is not None and self.close is None:
            raise ConfigError("adjusted_close needs close beside it, to adjust the day's other prices alike")
        names = [name for name in (self.unique_id, self.ds, *self.numbers) if name is not None]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(f"column {twice[0]!r} has two roles; each column has one")

    @property
    def prices(self) -> tuple[str, ...]:
        """The columns that hold prices."""
        named = (self.close, self.open, self.high, self.low, self.adjusted_close)
        return tuple(name for name in named if name is not None)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Every column of numbers."""
        named = (*self.prices, self.returns, self.realised, *self.covariates, *self.log_covariates)
        return tuple(name for name in named if name is not None)

    @property
    def measure(self) -> str:
        """What the day's variance is made from, in words."""
        if self.realised is not None:
            return "realised variance"
        return "day's range (Garman-Klass)" if self.open is not None else "squared return"


@dataclass(frozen=True)
class MarketPolicy:
    """What to do about a market table's blemishes; whatever is not declared here is refused.

    Attributes:
        splits: a close that looks like a stock split of the one before is refused, earlier prices are divided by the
            split ("adjust"), or it is taken for a real change ("ignore").
        gaps: missing trading days are refused, or the return across them is masked ("mask"): more than `longest_gap`
            days without a row, or two or more in a row that were expected; see `trading_days.missing_days`.
        missing: missing returns, variances and covariates are refused, or masked; a masked covariate takes its
            last value.
        unsorted: rows that go back in time are refused, or sorted.
        longest_gap: calendar days between two rows that weekends and holidays explain; New York closed for
            seven in September 2001.
        closed: days on which the exchange was closed, such as "2012-10-29", beyond single holidays, Christmas to New
            Year and Easter.
    """

    splits: Splits = "refuse"
    gaps: Literal["refuse", "mask"] = "refuse"
    missing: Literal["refuse", "mask"] = "refuse"
    unsorted: Literal["refuse", "sort"] = "refuse"
    longest_gap: int = 7
    closed: tuple[str, ...] = CLOSED

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                known = ", ".join(map(repr, choices))
                raise ConfigError(f"{name}={getattr(self, name)!r} is unknown; use one of {known}")
        if self.longest_gap < 1:
            raise ConfigError(f"longest_gap is {self.longest_gap}; it counts days and is at least 1")
        try:
            np.array(self.closed, "datetime64[D]")
        except ValueError as error:
            raise ConfigError(f"closed holds something else than days like 2012-10-29: {error}") from error
