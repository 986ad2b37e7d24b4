"""What a MarketForecaster may be told: one schema for the constructor, the TOML file and the command line."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from recurra.data.market import CLOSED

Cell = Literal["rnn", "lstm", "gru", "none"]


class MarketConfig(BaseModel):
    """Settings of a `MarketForecaster`; every field is a keyword of the constructor and a flag of `recurra fit`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    horizons: tuple[int, ...] = Field((1,), description="trading days ahead, such as 1,5,22")
    distribution: Literal["student_t", "normal", "mixture"] = Field("student_t", description="distribution of returns")
    components: int = Field(2, ge=2, le=8, description="normal distributions in a mixture")
    cell: Cell = Field("gru", description="recurrent layer: rnn, lstm, gru; none for a linear correction only")
    hidden_size: int = Field(16, ge=1, description="neurons of each recurrent layer")
    num_layers: int = Field(1, ge=1, le=16, description="recurrent layers on top of each other")
    dropout: float = Field(0.2, ge=0.0, lt=1.0, description="dropout between layers and before the output")
    context: int = Field(64, ge=1, description="days of a training window, after a month that warms the state")
    unique_id: str | None = Field(None, description="column naming the asset; none if there is only one")
    ds: str = Field("ds", description="column of trading days")
    close: str | None = Field("close", description="closing price; none if there are returns")
    open: str | None = Field(None, description="opening price, for variances from the day's range")
    high: str | None = Field(None, description="highest price of the day")
    low: str | None = Field(None, description="lowest price of the day")
    adjusted_close: str | None = Field(None, description="closing price after splits and dividends")
    returns: str | None = Field(None, description="log returns in percent, instead of those of the closing prices")
    realised: str | None = Field(None, description="realised variance of the day in percent squared")
    covariates: tuple[str, ...] = Field((), description="further numbers known at the close")
    log_covariates: tuple[str, ...] = Field((), description="further positive numbers, taken as logarithms, like a VIX")
    date_format: str | None = Field(None, description="how days are written, such as %m/%d/%Y; inferred")
    splits: Literal["refuse", "adjust", "ignore"] = Field("refuse", description="prices that look like stock splits")
    gaps: Literal["refuse", "mask"] = Field("refuse", description="missing trading days: refuse, or mask the return")
    longest_gap: int = Field(7, ge=1, description="calendar days between two rows that holidays explain")
    closed: tuple[str, ...] = Field(CLOSED, description="days without trading beyond holidays, such as 2012-10-29")
    missing: Literal["refuse", "mask"] = Field("refuse", description="missing numbers: refuse, or mask")
    unsorted: Literal["refuse", "sort"] = Field("refuse", description="rows out of order: refuse, or sort")
    validation: float = Field(0.0, ge=0, lt=0.9, description="share of last days that decides when training stops")
    max_epochs: int = Field(60, ge=1, description="passes over the training days")
    max_seconds: float | None = Field(None, gt=0, description="wall-clock limit of training, seconds")
    batch_size: int = Field(8, ge=1, description="windows learned at once")
    learning_rate: float = Field(3e-3, gt=0, description="step size of AdamW after the warm-up")
    weight_decay: float = Field(0.1, ge=0, description="decay of the weight matrices")
    gradient_clip: float | None = Field(1.0, gt=0, description="largest norm of the gradient")
    patience: int = Field(1000, ge=1, description="epochs without improvement before training stops")
    seed: int = Field(0, ge=0, description="same seed, same model on one machine")
    backend: Literal["auto", "native", "torch", "reference"] = Field("auto", description="who computes the recurrence")
    progress: Literal["none", "auto", "rich", "lines", "json"] = Field("none", description="how training shows itself")

    @field_validator("horizons")
    @classmethod
    def _days(cls, horizons: tuple[int, ...]) -> tuple[int, ...]:
        if not horizons or any(not 1 <= days <= 250 for days in horizons):
            raise ValueError("horizons must be whole numbers of days from 1 to 250, and there must be at least one")
        return tuple(sorted(set(horizons)))
