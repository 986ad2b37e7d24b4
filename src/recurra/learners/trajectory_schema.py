"""What a TrajectoryForecaster may be told: one schema for the constructor, the TOML file and the command line."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recurra.learners.schema import Cell

Output = Literal["points", "gaussian", "mixture"]
Residual = Literal["auto", "constant velocity", "linear"]


class TrajectoryConfig(BaseModel):
    """Settings of a `TrajectoryForecaster`; every field is a keyword of the constructor and a flag of `recurra fit`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    horizon: int = Field(12, ge=1, le=1_000, description="steps ahead to predict")
    step_s: float | None = Field(None, gt=0, description="seconds of a step; the usual time between two fixes")
    output: Output = Field("mixture", description="points, a gaussian around each, or a mixture of several paths")
    components: int = Field(8, ge=2, le=64, description="components of a mixture")
    futures: int = Field(0, ge=0, le=1_000, description="possible futures that predict gives beside the middle path")
    cell: Cell = Field("gru", description="recurrent layer: rnn (the plain recurrent layer), lstm or gru")
    hidden_size: int = Field(64, ge=1, description="neurons of each recurrent layer")
    num_layers: int = Field(1, ge=1, le=16, description="recurrent layers of the encoder on top of each other")
    dropout: float = Field(0.1, ge=0.0, lt=1.0, description="dropout between layers, and before the decoder")
    context: int = Field(16, ge=2, description="most fixes of a training window; shorter histories are learned too")
    align: bool | None = Field(None, description="turn vectors to the heading; yes on a flat map, no on the globe")
    rotate: bool | None = Field(
        None, description="turn training windows by any angle; yes on a flat map if not aligned"
    )
    mirror: bool | None = Field(None, description="mirror training windows; yes on a flat map")
    time_scale: float = Field(
        1.3, ge=1, le=10, description="run a flat map's training windows up to so many times as fast"
    )
    jitter: float = Field(0.0, ge=0, le=10, description="move fixes of training windows by up to so many usual steps")
    neighbours: int = Field(0, ge=0, le=64, description="nearest objects at the same time that the network sees")
    reach: float = Field(12.0, gt=0, description="objects further away than so many usual steps are not seen")
    features: tuple[str, ...] = Field((), description="further number columns that the network sees, such as wind")
    place: bool | None = Field(None, description="show the network the place; yes on the globe")
    season: bool | None = Field(None, description="show it the day of the year; yes on the globe if times are dates")
    residual: Residual = Field(
        "auto", description="what the network corrects: constant velocity, or a linear map fitted on top of it as well"
    )
    lags: int = Field(4, ge=1, le=64, description="latest inputs that the linear map reads")
    gain: float | None = Field(
        None, ge=0, le=1, description="share of the correction to keep; chosen on the validation part"
    )
    max_gap_s: float | None = Field(None, gt=0, description="fixes further apart begin a new piece; 2.5 steps")
    resample_s: float | None = Field(None, gt=0, description="bring tracks to this even step first, seconds")
    object: str | None = Field("object", description="column naming the object; none if there is only one")
    time: str = Field("time", description="column of times: numbers or dates")
    x: str = Field("x", description="column to the east, or the longitude")
    y: str = Field("y", description="column to the north, or the latitude")
    scene: str | None = Field(None, description="column naming the scene; objects of two scenes do not see each other")
    geographic: bool = Field(False, description="x and y are longitude and latitude in degrees")
    unit: Literal["m", "km"] = Field("km", description="unit of lengths on the globe")
    date_format: str | None = Field(None, description="how times are written, such as %d/%m/%Y %H:%M; inferred")
    seconds_per_unit: float = Field(1.0, gt=0, description="seconds of one unit of times that are numbers")
    missing: Literal["refuse", "skip"] = Field("refuse", description="rows without a position: refuse, or skip")
    unsorted: Literal["refuse", "sort"] = Field("refuse", description="rows out of order: refuse, or sort")
    repeated: Literal["refuse", "first"] = Field(
        "refuse", description="two fixes at one time: refuse, or keep the first"
    )
    jumps: Literal["flag", "cut", "refuse"] = Field(
        "flag", description="absurdly fast fixes: flag, cut there, or refuse"
    )
    max_speed: float | None = Field(None, gt=0, description="fastest possible, in units of length a second")
    split: Literal["time", "objects"] = Field(
        "objects", description="validate on the objects that came last, or on what came last in time"
    )
    validation: float = Field(0.15, gt=0, lt=1, description="share of objects, or of time, to validate on")
    max_epochs: int = Field(12, ge=1, description="passes over the training windows at most")
    max_seconds: float | None = Field(None, gt=0, description="wall-clock limit of training, seconds")
    batch_size: int = Field(256, ge=1, description="windows learned at once")
    learning_rate: float = Field(3e-3, gt=0, description="step size of AdamW after the warm-up")
    weight_decay: float = Field(1e-2, ge=0, description="decay of the weight matrices")
    gradient_clip: float | None = Field(1.0, gt=0, description="largest norm of the gradient")
    patience: int = Field(6, ge=1, description="epochs without improvement before training stops")
    seed: int = Field(0, ge=0, description="same seed, same model on one machine")
    backend: Literal["auto", "native", "torch", "reference"] = Field("auto", description="who computes the recurrence")
    device: str = Field("cpu", description="where to train: cpu, or cuda")
    progress: Literal["none", "auto", "rich", "lines", "json"] = Field("none", description="how training shows itself")

    @model_validator(mode="after")
    def _fits(self) -> "TrajectoryConfig":
        named = [name for name in (self.object, self.time, self.x, self.y, self.scene) if name is not None]
        named += self.features
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"column {twice[0]!r} has two roles; each column has one")
        if self.geographic and (self.rotate or self.mirror):
            raise ValueError("rotate and mirror make no sense on the globe, where winds and currents have a direction")
        if self.futures and self.output == "points":
            raise ValueError("futures need a distribution; use output='mixture' or 'gaussian'")
        return self
