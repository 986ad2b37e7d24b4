"""A vocabulary of subwords by sentencepiece (the extra `translation`)."""

import io
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from recurra.data.text.pieces import BEGIN, END, PAD, SPECIAL, UNKNOWN, Blob
from recurra.errors import ConfigError, DamagedModelError, MissingExtraError, TableError

WORD = "▁"
"""What sentencepiece writes where a word begins."""


class SubwordPieces:
    """Subwords of sentencepiece: frequent words are whole, rare ones are cut, nothing within the alphabet is unknown.

    Args:
        model: a sentencepiece model, as bytes.

    Raises:
        MissingExtraError: sentencepiece is not installed.
        DamagedModelError: the bytes are no sentencepiece model with our special pieces.

    Source: Sennrich, Haddow & Birch 2016 (bpe); Kudo 2018 (unigram); Kudo & Richardson 2018 (sentencepiece).
    """

    def __init__(self, model: bytes) -> None:
        self._model = model
        self._processor = _sentencepiece().SentencePieceProcessor()
        try:
            self._processor.LoadFromSerializedProto(model)
            known = [self._processor.IdToPiece(number) for number in range(len(SPECIAL))]
        except (RuntimeError, IndexError) as error:
            raise DamagedModelError(f"the model's subwords cannot be read ({error}); save it anew") from error
        if tuple(known) != SPECIAL:
            raise DamagedModelError(f"the subwords begin with {known}, not with {list(SPECIAL)}")

    @classmethod
    def learn(cls, texts: Sequence[str], size: int, method: Literal["bpe", "unigram"] = "bpe") -> "SubwordPieces":
        """Train sentencepiece on texts; every character that occurs becomes a piece.

        Args:
            texts: of the training part.
            size: pieces at most; fewer where the texts do not hold so many.
            method: "bpe" or "unigram".

        Raises:
            TableError: the texts are all empty.
            ConfigError: the size is smaller than the alphabet.
        """
        if not any(text.strip() for text in texts):
            raise TableError("the texts are all empty; there is nothing to learn subwords from")
        made = io.BytesIO()
        try:
            _sentencepiece().SentencePieceTrainer.train(
                sentence_iterator=iter([text for text in texts if text.strip()]),
                model_writer=made,
                vocab_size=size,
                model_type=method,
                character_coverage=1.0,
                hard_vocab_limit=False,
                max_sentence_length=1 << 20,
                num_threads=1,
                shuffle_input_sentence=False,
                minloglevel=2,
                pad_id=PAD,
                unk_id=UNKNOWN,
                bos_id=BEGIN,
                eos_id=END,
            )
        except RuntimeError as error:
            raise ConfigError(f"no subword vocabulary of {size} pieces can be made: {_in_short(error)}") from error
        return cls(made.getvalue())

    def __len__(self) -> int:
        size: int = self._processor.GetPieceSize()
        return size

    def encode(self, text: str) -> list[int]:
        """The numbers of a text's subwords; UNKNOWN for characters never seen."""
        numbers: list[int] = self._processor.EncodeAsIds(text)
        return numbers

    def decode(self, numbers: Sequence[int]) -> str:
        """The text again; pieces that are no text are passed over."""
        text: str = self._processor.DecodeIds([int(number) for number in numbers if number >= len(SPECIAL)])
        return text

    def piece(self, number: int) -> str:
        """A subword as sentencepiece writes it: ▁ where a word begins."""
        piece: str = self._processor.IdToPiece(int(number))
        return piece

    def starts_word(self, number: int) -> bool:
        """Whether a subword begins a new word."""
        return self.piece(number).startswith(WORD)

    def parts_words(self, number: int) -> bool:
        """No subword stands between words."""
        del number
        return False

    def spelling(self, number: int) -> str:
        """A subword as sentencepiece writes it, "" for those that are no text."""
        return "" if number < len(SPECIAL) else self.piece(number)

    def spell(self, text: str) -> str:
        """A beginning as sentencepiece writes it; after a space a new word begins."""
        spelled = "".join(self._processor.EncodeAsPieces(text))
        return spelled + (WORD if spelled and text[-1].isspace() else "")

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""
        return {"units": "subwords"}

    def to_blob(self) -> Blob | None:
        """The sentencepiece model."""
        return np.frombuffer(self._model, np.uint8)


def _sentencepiece() -> Any:
    try:
        import sentencepiece
    except ImportError as error:
        raise MissingExtraError(
            "subwords need sentencepiece; install it with: pip install 'recurra[translation]', "
            "or use units='characters' or 'symbols'"
        ) from error
    return sentencepiece


def _in_short(error: Exception) -> str:
    return " ".join(str(error).split())[-200:]
