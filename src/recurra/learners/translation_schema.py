"""What a Translator may be told: one schema for the constructor, the TOML file and the command line."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Units = Literal["subwords", "characters", "symbols"]


class TranslatorConfig(BaseModel):
    """Settings of a `Translator`; every field is a keyword of the constructor and a flag of `recurra fit`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    units: Units = Field("subwords", description="pieces of a text: subwords, characters, or symbols (between spaces)")
    target_units: Units | None = Field(None, description="pieces of the target, where they are others")
    vocabulary_size: int = Field(6000, ge=8, description="subwords at most, of each vocabulary")
    subword_method: Literal["bpe", "unigram"] = Field("bpe", description="how sentencepiece finds subwords")
    joint: bool | None = Field(None, description="one vocabulary for both sides; chosen: where both have subwords")
    lowercase: Literal["none", "source", "both"] = Field("none", description="sides brought to small letters")
    source_column: str = Field("source", description="column of the texts to translate, in a table")
    target_column: str = Field("target", description="column of their translations, in a table")
    max_length: int = Field(128, ge=1, le=100_000, description="pieces of a text at most")
    too_long: Literal["drop", "truncate", "refuse"] = Field("drop", description="pairs with a longer text")
    cell: Literal["rnn", "lstm", "gru"] = Field("lstm", description="recurrent layer: rnn (the plain one), lstm or gru")
    embedding_size: int = Field(256, ge=1, description="width of the embeddings")
    hidden_size: int = Field(
        320, ge=2, description="neurons of each decoder layer, and of an encoder layer's two halves"
    )
    encoder_layers: int = Field(1, ge=1, le=16, description="bidirectional layers of the encoder")
    decoder_layers: int = Field(1, ge=1, le=16, description="layers of the decoder")
    attention: Literal["general", "dot", "additive"] = Field(
        "general", description="how a key is scored: general or dot (Luong), additive (Bahdanau)"
    )
    input_feeding: bool = Field(False, description="each step reads what the one before looked at; slower to train")
    dropout: float = Field(0.3, ge=0.0, lt=1.0, description="dropout of embeddings, between layers and of outputs")
    recurrent_dropout: float = Field(0.1, ge=0.0, lt=1.0, description="dropout on the recurrent states")
    label_smoothing: float = Field(0.1, ge=0.0, lt=1.0, description="share of the truth spread over the vocabulary")
    validation: float = Field(0.05, gt=0, lt=1, description="share of the pairs to validate on, where none are given")
    validate_on: Literal["loss", "bleu"] = Field("loss", description="what decides when training stops")
    max_epochs: int = Field(20, ge=1, description="passes over the training part at most")
    max_seconds: float | None = Field(None, gt=0, description="wall-clock limit of training, seconds")
    batch_tokens: int = Field(1200, ge=1, description="pieces of one side of a batch at most, padding included")
    learning_rate: float = Field(1.5e-3, gt=0, description="step size of AdamW after the warm-up, before its decay")
    weight_decay: float = Field(1e-2, ge=0, description="decay of the weight matrices")
    gradient_clip: float | None = Field(1.0, gt=0, description="largest norm of the gradient")
    patience: int = Field(6, ge=1, description="epochs without improvement before training stops")
    average: int = Field(1, ge=1, le=50, description="the mean of the weights of so many best epochs is kept")
    beam: int = Field(5, ge=1, le=1000, description="hypotheses that are followed at once")
    length_penalty: float = Field(1.0, ge=0, description="how much longer answers are favoured (alpha)")
    coverage_penalty: float = Field(0.0, ge=0, description="how much answers that skip parts of the source lose (beta)")
    no_repeat: int = Field(0, ge=0, description="no run of so many pieces twice in an answer; 0 allows all")
    seed: int = Field(0, ge=0, description="same seed, same model on one machine")
    backend: Literal["auto", "native", "torch", "reference"] = Field("auto", description="who computes the recurrence")
    device: str = Field("cpu", description="where to train: cpu, or cuda")
    progress: Literal["none", "auto", "rich", "lines", "json"] = Field("none", description="how training shows itself")

    @property
    def units_of_target(self) -> Units:
        """The target's pieces."""
        return self.target_units or self.units

    @property
    def is_joint(self) -> bool:
        """Whether both sides share a vocabulary."""
        return self.joint if self.joint is not None else self.units == self.units_of_target == "subwords"

    @model_validator(mode="after")
    def _fits(self) -> "TranslatorConfig":
        if self.joint and self.units != self.units_of_target:
            raise ValueError("joint=True needs the same units on both sides")
        if self.source_column == self.target_column:
            raise ValueError(f"column {self.source_column!r} has two roles; each column has one")
        if self.hidden_size % 2:
            raise ValueError("hidden_size must be even, half for each direction of the encoder")
        return self
