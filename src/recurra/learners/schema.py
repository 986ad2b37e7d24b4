"""What a Forecaster may be told: one schema for the constructor, the TOML file and the command line."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from recurra.data.forecasts import quantile_name

Cell = Literal["rnn", "lstm", "gru"]
Decoder = Literal["direct", "recurrent", "recursive", "segments"]
Output = Literal["quantiles", "normal", "student_t", "log_normal", "negative_binomial", "mixture"]
CellOption = bool | int | float | str | tuple[float, ...] | None
Scaling = Literal["running", "instance", "standard", "mean_abs", "robust", "log", "none", "auto"]
ReferenceChoice = Literal["auto", "none", "naive", "season_mean", "seasonal", "seasonal_change", "linear"]

DEFAULT_QUANTILES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


class ForecasterConfig(BaseModel):
    """Settings of a `Forecaster`; every field is a keyword of the constructor and a flag of `recurra fit`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    horizon: int = Field(1, ge=1, le=10_000, description="steps ahead to forecast")
    cell: Cell = Field("gru", description="recurrent layer: rnn (the plain recurrent layer), lstm or gru")
    hidden_size: int = Field(32, ge=1, description="neurons of each recurrent layer")
    num_layers: int = Field(1, ge=1, le=16, description="recurrent layers on top of each other")
    dropout: float = Field(0.1, ge=0.0, lt=1.0, description="dropout between layers and before the output")
    cell_options: dict[str, CellOption] | None = Field(
        None, description="options of the layer in recurra.nn, as name=value"
    )
    decoder: Decoder = Field(
        "direct",
        description="from the state to the steps ahead: direct (all at once), recurrent (a second layer over the "
        "steps), recursive (one step, fed back), segments (a layer over segments of the past, for long horizons)",
    )
    segment_length: int | None = Field(None, ge=1, description="values in a segment, of decoder segments; a season")
    output: Output = Field(
        "quantiles", description="what is learned of each step: quantiles, or a distribution by its likelihood"
    )
    components: int = Field(3, ge=2, le=16, description="normal distributions in a mixture")
    conformal: bool = Field(False, description="widen or narrow the quantiles by what held-out rows show")
    context: int | None = Field(None, ge=1, description="steps of a training window; chosen from season and horizon")
    season: int | None = Field(None, ge=1, description="steps of a season; chosen from the frequency")
    residual: ReferenceChoice = Field(
        "auto", description="naive rule that the network corrects; auto takes one by its error on the training rows"
    )
    scaling: Scaling = Field(
        "running",
        description="level and scale of each series: running, instance and log follow its recent past; standard, "
        "mean_abs and robust are fixed at fit; auto takes one by its loss on held-out training rows",
    )
    past_covariates: tuple[str, ...] = Field((), description="columns known up to the present")
    future_covariates: tuple[str, ...] = Field((), description="columns known in advance for every step ahead")
    static_covariates: tuple[str, ...] = Field((), description="columns with one value a series")
    calendar: tuple[str, ...] | Literal["auto"] = Field(
        "auto", description="calendar features: auto, or names such as weekday, month; an empty list for none"
    )
    quantiles: tuple[float, ...] = Field(DEFAULT_QUANTILES, description="quantile levels to forecast")
    freq: str | None = Field(
        None, description="step between rows, such as D, W, h, 15min, MS, or irregular; inferred by default"
    )
    unique_id: str | None = Field("unique_id", description="column naming the series; none if there is only one")
    ds: str = Field("ds", description="column of time stamps")
    y: str | tuple[str, ...] = Field("y", description="column to forecast, or several")
    date_format: str | None = Field(None, description="how time stamps are written, such as %m/%d/%Y; inferred")
    categorical: tuple[str, ...] = Field((), description="covariates that are categories although they hold numbers")
    missing: Literal["refuse", "mask"] = Field("refuse", description="missing targets: refuse, or mask")
    unsorted: Literal["refuse", "sort"] = Field("refuse", description="rows out of order: refuse, or sort")
    gaps: Literal["refuse", "fill"] = Field("refuse", description="missing rows: refuse, or fill as missing targets")
    missing_covariates: Literal["refuse", "last", "mask"] = Field(
        "refuse", description="missing covariates: refuse, take the last value before, or mask"
    )
    unseen: Literal["refuse", "ignore"] = Field(
        "refuse", description="a category that was not seen at fit: refuse, or ignore it as an unknown one"
    )
    validation: float | int = Field(0.15, gt=0, description="share (below 1) or number of last rows to validate on")
    max_epochs: int = Field(40, ge=1, description="passes over the training windows at most")
    max_seconds: float | None = Field(None, gt=0, description="wall-clock limit of training, seconds")
    batch_size: int = Field(32, ge=1, description="windows learned at once")
    learning_rate: float = Field(2e-3, gt=0, description="step size of AdamW after the warm-up")
    weight_decay: float = Field(1e-2, ge=0, description="decay of the weight matrices")
    gradient_clip: float | None = Field(1.0, gt=0, description="largest norm of the gradient")
    patience: int = Field(12, ge=1, description="epochs without improvement before training stops")
    keep: Literal["shown", "trained"] = Field(
        "shown",
        description="shown: the rule itself, unless the network gains over a standard error; trained: the network",
    )
    n_ensemble: int = Field(1, ge=1, le=100, description="networks with seeds seed, seed + 1, ..., quantiles averaged")
    seed: int = Field(0, ge=0, description="same seed, same model on one machine")
    backend: Literal["auto", "native", "torch", "reference"] = Field("auto", description="who computes the recurrence")
    device: str = Field("cpu", description="where to train: cpu, or cuda")
    progress: Literal["none", "auto", "rich", "lines", "json"] = Field("none", description="how training shows itself")

    @field_validator("quantiles")
    @classmethod
    def _levels(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if not levels or any(not 0.0 < level < 1.0 for level in levels):
            raise ValueError("quantiles must lie strictly between 0 and 1, and there must be at least one")
        if len(set(levels)) != len(levels):
            raise ValueError("quantiles must not repeat")
        return tuple(sorted({*levels, 0.5}))

    @field_validator("validation", mode="before")
    @classmethod
    def _share_or_rows(cls, validation: object, info: ValidationInfo) -> object:
        part = isinstance(validation, float) and validation >= 1 and (validation == 1 or not validation.is_integer())
        if (part or isinstance(validation, bool)) and not info.context:
            raise ValueError("give a share below 1, or a whole number of rows")
        return validation

    @field_validator("y")
    @classmethod
    def _one_or_several(cls, y: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not y:
            raise ValueError("name at least one column to forecast")
        return y[0] if isinstance(y, tuple) and len(y) == 1 else y

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns to forecast."""
        return (self.y,) if isinstance(self.y, str) else self.y

    @property
    def covariates(self) -> tuple[str, ...]:
        """The columns that are read beside the targets."""
        return (*self.past_covariates, *self.future_covariates, *self.static_covariates)

    @model_validator(mode="after")
    def _columns_apart(self) -> "ForecasterConfig":
        names = [self.unique_id, self.ds, *self.targets, *self.covariates]
        named = [name for name in names if name is not None]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"column {twice[0]!r} has two roles; each column has one")
        if self.gaps == "fill" and self.missing != "mask":
            raise ValueError("gaps='fill' makes missing targets: it needs missing='mask'")
        return self

    @model_validator(mode="after")
    def _columns_sound(self, info: ValidationInfo) -> "ForecasterConfig":
        stray = [name for name in self.categorical if name not in self.covariates]
        if stray and not info.context:
            raise ValueError(f"categorical: {stray[0]!r} is none of the covariates; correct the name, or leave it out")
        answered = {"forecast", "mean", "path", "sample", *map(quantile_name, self.quantiles)}
        taken = [name for name in (self.unique_id, self.ds) if name in answered]
        if taken and not info.context:
            raise ValueError(f"column {taken[0]!r} is named as a column of the forecasts is; rename it")
        return self

    @model_validator(mode="after")
    def _network_possible(self) -> "ForecasterConfig":
        if self.decoder == "recursive" and self.horizon > 1 and self.past_covariates:
            raise ValueError(
                "decoder='recursive' feeds forecasts back, and past_covariates of the steps between are not known; "
                "use another decoder, or future_covariates, or forecast them too: "
                f"y={(*self.targets, *self.past_covariates)}"
            )
        if self.scaling == "log" and self.output in ("log_normal", "negative_binomial"):
            raise ValueError(f"scaling='log' takes logarithms, which output={self.output!r} does too; use one of them")
        if self.segment_length is not None and self.decoder != "segments":
            raise ValueError("segment_length is for decoder='segments'; leave it out")
        return self
