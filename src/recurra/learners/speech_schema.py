"""What SequenceClassifier and SpeechRecognizer may be told: one schema for constructor, TOML file and command line."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Cell = Literal["rnn", "lstm", "gru"]
Features = Literal["log-mel", "mfcc", "given"]
Normalisation = Literal["utterance", "running", "fixed", "none"]


class SoundConfig(BaseModel):
    """Settings that both learners have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    features: Features = Field("log-mel", description="log-mel or mfcc from audio; given for ready-made sequences")
    sample_rate_hz: int = Field(16_000, ge=1000, description="rate that audio is brought to; of arrays too")
    window_s: float = Field(0.025, gt=0, description="length of a frame, seconds")
    hop_s: float = Field(0.010, gt=0, description="distance between frames, seconds")
    n_mels: int = Field(40, ge=1, description="bands on the mel scale")
    n_mfcc: int = Field(13, ge=1, description="cepstral coefficients")
    n_coefficients: int = Field(13, ge=1, description="columns of .mfc files, whose headers do not tell")
    deltas: int = Field(0, ge=0, le=2, description="derivatives in time beside the features")
    normalisation: Normalisation = Field(
        "utterance",
        description="mean and deviation: utterance (cannot stream), running, fixed by the training part, none",
    )
    augment: tuple[str, ...] = Field(
        ("light",), description="changes of training examples: none, light or strong, then settings such as speed=0.1"
    )
    cell: Cell = Field("gru", description="recurrent layer: rnn (the plain recurrent layer), lstm or gru")
    hidden_size: int = Field(96, ge=1, description="neurons of each recurrent layer and direction")
    num_layers: int = Field(2, ge=1, le=16, description="recurrent layers on top of each other")
    bidirectional: bool = Field(True, description="read in both directions; a stream needs False")
    channels: int = Field(64, ge=1, description="features of each convolution before the recurrent layers")
    strides: tuple[int, ...] = Field((2,), description="steps of each convolution; an empty list for none")
    dropout: float = Field(0.2, ge=0.0, lt=1.0, description="dropout before, between and after the recurrent layers")
    validation: float | int = Field(
        0.15,
        ge=0,
        description="share (below 1) or number of speakers to validate on; 0 for none: the last epoch is kept",
    )
    bad_inputs: Literal["skip", "refuse"] = Field(
        "skip", description="inputs that cannot be read: skip and list, or refuse"
    )
    max_epochs: int = Field(40, ge=1, description="passes over the training part at most")
    max_seconds: float | None = Field(None, gt=0, description="wall-clock limit of training, seconds")
    batch_size: int = Field(32, ge=1, description="sequences learned at once")
    learning_rate: float = Field(3e-3, gt=0, description="step size of AdamW after the warm-up")
    weight_decay: float = Field(1e-2, ge=0, description="decay of the weight matrices")
    gradient_clip: float | None = Field(1.0, gt=0, description="largest norm of the gradient")
    patience: int = Field(15, ge=1, description="epochs without improvement before training stops")
    seed: int = Field(0, ge=0, description="same seed, same model on one machine")
    backend: Literal["auto", "native", "torch", "reference"] = Field("auto", description="who computes the recurrence")
    device: str = Field("cpu", description="where to train: cpu, or cuda")
    progress: Literal["none", "auto", "rich", "lines", "json"] = Field("none", description="how training shows itself")

    @field_validator("strides")
    @classmethod
    def _positive(cls, strides: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= stride <= 8 for stride in strides):
            raise ValueError("each stride must lie between 1 and 8")
        return strides


class ClassifierConfig(SoundConfig):
    """Settings of a `SequenceClassifier`; every field is a keyword of the constructor and a flag of `recurra fit`."""

    features: Features = Field("given", description="given for ready-made sequences; log-mel or mfcc from audio")
    normalisation: Normalisation = Field(
        "fixed", description="mean and deviation: utterance, running, fixed by the training part, none"
    )
    augment: tuple[str, ...] = Field(
        ("none",), description="changes of training examples: none, light or strong, then settings such as speed=0.1"
    )
    pooling: Literal["mean", "max", "mean_max", "last"] = Field(
        "mean_max", description="how steps are summed up: mean, max, both, or the last state"
    )
    smoothing: float = Field(0.0, ge=0, lt=1, description="share of a target's probability given to the other classes")
    strides: tuple[int, ...] = Field((), description="steps of each convolution; an empty list for none")


class RecognizerConfig(SoundConfig):
    """Settings of a `SpeechRecognizer`; every field is a keyword of the constructor and a flag of `recurra fit`."""

    units: Literal["characters", "words", "phonemes"] = Field("characters", description="what the network writes")
    alphabet: tuple[str, ...] | None = Field(None, description="the units; those of the training texts by default")
    too_long: Literal["refuse", "skip"] = Field(
        "refuse", description="a transcript longer than its frames allow: refuse, or skip and list"
    )
