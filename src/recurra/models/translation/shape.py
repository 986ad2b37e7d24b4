"""The sizes of a translating network; enough to build it again."""

from dataclasses import dataclass

from recurra.errors import ConfigError
from recurra.nn import GRU, LSTM, RNN

CELLS: dict[str, type[RNN] | type[LSTM] | type[GRU]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
ATTENTIONS = ("general", "dot", "additive")


@dataclass(frozen=True)
class TranslationShape:
    """Sizes of a `TranslationNetwork`.

    Args:
        source_size, target_size: pieces of the two vocabularies.
        shared: whether both sides have one vocabulary and one embedding.
        cell: "rnn", "lstm" or "gru".
        embedding_size: E, width of an embedding, and of what the output layer reads.
        hidden_size: H, neurons of a decoder layer, and of both directions of an encoder layer together.
        encoder_layers, decoder_layers: recurrent layers on top of each other.
        attention: "general" or "dot" (Luong), or "additive" (Bahdanau).
        input_feeding: whether each step also reads the attentional vector of the step before.
        dropout: share of embeddings, of outputs between layers and of attentional vectors set to zero in training.
        recurrent_dropout: share of each layer's own outputs set to zero on their way to the next step, in training.
    """

    source_size: int
    target_size: int
    shared: bool = False
    cell: str = "lstm"
    embedding_size: int = 256
    hidden_size: int = 320
    encoder_layers: int = 1
    decoder_layers: int = 1
    attention: str = "general"
    input_feeding: bool = False
    dropout: float = 0.0
    recurrent_dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise ConfigError(f"cell={self.cell!r} is unknown; choose from {', '.join(CELLS)}")
        if self.attention not in ATTENTIONS:
            raise ConfigError(f"attention={self.attention!r} is unknown; choose from {', '.join(ATTENTIONS)}")
        if self.hidden_size % 2:
            raise ConfigError(f"hidden_size must be even, half for each direction, not {self.hidden_size}")
        if self.shared and self.source_size != self.target_size:
            raise ConfigError("a shared vocabulary has one size")
