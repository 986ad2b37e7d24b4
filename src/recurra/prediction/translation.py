"""A trained translating network, or several, as an answering object: texts in, texts out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from recurra.data.text import Pieces, pieces_from_saved, token_batches, words_of
from recurra.data.text.encoding import pad
from recurra.data.text.pieces import NO_WORD, UNKNOWN
from recurra.decoding import DecodingOptions, Hypothesis, NetworkScorer, Spellings, beam_search, follow_paths
from recurra.errors import BadValueError, ConfigError
from recurra.models.translation import TranslationNetwork, TranslationShape
from recurra.prediction.fingerprint import fingerprint
from recurra.shapes import FloatArray, Tensor

PIECES_AT_ONCE = 4_000
BLOB = "vocabulary."


@dataclass(frozen=True)
class Translation:
    """One answer, and what it was made from.

    Attributes:
        text: the answer.
        score: what answers are ranked by; log probability normalised by length.
        log_probability: of the answer's pieces and its end.
        source: pieces of the source as they are written.
        pieces: pieces of the answer as they are written.
        attention: [pieces of the answer, pieces of the source], each row adds up to 1.
        alignment: (source word, answer word) for each word of the answer, counted from 0: the word that it looked at
            most. Symbols are words; so are characters, unless there are spaces among those that were learned.
        unknown: pieces of the source that were never seen.
        truncated: whether the source was cut to the model's longest.
        ended: whether the answer ended by itself.
    """

    text: str
    score: float
    log_probability: float
    source: tuple[str, ...]
    pieces: tuple[str, ...]
    attention: FloatArray
    alignment: tuple[tuple[int, int], ...]
    unknown: int = 0
    truncated: bool = False
    ended: bool = True


@dataclass(frozen=True)
class Wording:
    """How texts become pieces.

    Args:
        source, target: vocabularies of the sides.
        lowercase: sides brought to small letters: "none", "source" or "both".
        max_length: pieces of a source at most; a longer one is cut.
    """

    source: Pieces
    target: Pieces
    lowercase: str = "none"
    max_length: int = 128


class TranslationPredictor:
    """Answers with translations.

    Args:
        networks: one, or several whose probabilities are averaged.
        wording: how texts become pieces.
        joint: whether both sides have one vocabulary.

    Raises:
        ConfigError: the vocabulary does not match a network.
    """

    def __init__(self, networks: Sequence[TranslationNetwork], wording: Wording, joint: bool) -> None:
        for network in networks:
            sizes = network.shape.source_size, network.shape.target_size
            if sizes != (len(wording.source), len(wording.target)):
                raise ConfigError(
                    f"the vocabularies have {len(wording.source)} and {len(wording.target)} pieces, but the network "
                    f"was made for {sizes[0]} and {sizes[1]}; take the vocabularies it was trained with"
                )
        self.networks, self.wording, self.joint = tuple(networks), wording, joint
        self.scorer = NetworkScorer(networks)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over configuration and weights: two predictors with one fingerprint answer alike."""
        return fingerprint(self.to_config(), self.to_tensors())

    def translate(
        self,
        texts: Sequence[str],
        options: DecodingOptions,
        prefixes: Sequence[str] | None = None,
        first: int = 0,
    ) -> list[list[Translation]]:
        """Answers to each text, the best first; none for a text without pieces.

        Args:
            texts: to translate; sources of like length share a batch.
            options: of the search.
            prefixes: what each answer must begin with; the last word may be unfinished.
            first: number of the first text; what is drawn for a text depends on the seed and its number alone.

        Raises:
            ConfigError: there is not one prefix for each text.
            BadValueError: the vocabulary cannot spell a prefix; the first such is named, and nothing is answered.
        """
        if prefixes is not None and len(prefixes) != len(texts):
            raise ConfigError(f"{len(prefixes)} prefixes for {len(texts)} texts; give one for each, '' for none")
        lower = self.wording.lowercase != "none"
        said = [(text.lower() if lower else text) if text.strip() else "" for text in texts]
        encoded = [self.wording.source.encode(text) for text in said]
        numbers = [np.array(pieces[: self.wording.max_length], np.int64) for pieces in encoded]
        begins, spellings = self._spelled(prefixes) if prefixes is not None and any(prefixes) else (None, None)
        answers: list[list[Translation]] = [[] for _ in texts]
        filled = [at for at, pieces in enumerate(numbers) if len(pieces)]
        lengths = np.array([len(numbers[at]) for at in filled], np.int64)
        for batch in token_batches(lengths, PIECES_AT_ONCE) if filled else []:
            rows = [filled[at] for at in batch]
            source, sizes = (torch.from_numpy(part) for part in pad([numbers[row] for row in rows]))
            chosen = None if begins is None else [begins[row] for row in rows]
            if options.beam > 1 and not options.sample:
                found = beam_search(self.scorer, source, sizes, options, chosen, spellings)
            else:
                at = [first + row for row in rows]
                found = follow_paths(self.scorer, source, sizes, options, chosen, spellings, at)
            for row, hypotheses in zip(rows, found, strict=True):
                cut = len(encoded[row]) > self.wording.max_length
                answers[row] = [self._answer(numbers[row].tolist(), each, cut) for each in hypotheses]
        return answers

    def _answer(self, source: list[int], found: Hypothesis, cut: bool) -> Translation:
        wording = self.wording
        attention = found.attention.numpy()
        return Translation(
            wording.target.decode(found.pieces),
            found.score,
            found.log_probability,
            tuple(wording.source.piece(number) for number in source),
            tuple(wording.target.piece(number) for number in found.pieces),
            attention,
            align_words(attention, words_of(source, wording.source), words_of(found.pieces, wording.target)),
            source.count(UNKNOWN),
            cut,
            found.ended,
        )

    def _spelled(self, prefixes: Sequence[str]) -> tuple[list[str], Spellings]:
        """Beginnings as the vocabulary writes them, and how it spells its pieces."""
        target = self.wording.target
        spellings = Spellings([target.spelling(number) for number in range(len(target))])
        lower = self.wording.lowercase == "both"
        begins = [target.spell(prefix.lower() if lower else prefix) for prefix in prefixes]
        for at, begin in enumerate(begins):
            try:
                spellings.check(begin)
            except BadValueError as error:
                raise BadValueError(f"prefixes[{at}], {prefixes[at]!r}: {error}") from None
        return begins, spellings

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""
        wording = self.wording
        sides = {"source": wording.source} if self.joint else {"source": wording.source, "target": wording.target}
        return {
            "networks": [asdict(network.shape) for network in self.networks],
            "vocabularies": {side: pieces.to_config() for side, pieces in sides.items()},
            "lowercase": wording.lowercase,
            "max_length": wording.max_length,
        }

    def to_tensors(self) -> dict[str, Tensor]:
        """The weights of each network, and the vocabularies' bytes."""
        tensors = {
            f"{number}.{name}": tensor
            for number, network in enumerate(self.networks)
            for name, tensor in network.state_dict().items()
            if not (network.shape.shared and name == "source_embedding.weight")
        }
        for side in ("source",) if self.joint else ("source", "target"):
            blob = getattr(self.wording, side).to_blob()
            if blob is not None:
                tensors[BLOB + side] = torch.from_numpy(blob.copy())
        return tensors

    @classmethod
    def from_saved(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "TranslationPredictor":
        """The predictor whose configuration and weights were saved."""
        sides = {
            side: pieces_from_saved(saved, tensors[BLOB + side].numpy() if BLOB + side in tensors else None)
            for side, saved in config["vocabularies"].items()
        }
        networks = []
        for number, shape in enumerate(config["networks"]):
            with torch.random.fork_rng(devices=[]):
                network = TranslationNetwork(TranslationShape(**shape))
            prefix = f"{number}."
            weights = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
            if network.shape.shared:
                weights["source_embedding.weight"] = weights["target_embedding.weight"]
            network.load_state_dict(weights)
            networks.append(network.eval().freeze())
        source = sides["source"]
        wording = Wording(source, sides.get("target", source), config["lowercase"], config["max_length"])
        return cls(networks, wording, "target" not in sides)


def align_words(attention: FloatArray, source: Sequence[int], target: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The source word behind each word of an answer: the one that its pieces looked at most, together.

    Args:
        attention: [pieces of the answer, pieces of the source].
        source: word of each piece of the source, from 0; NO_WORD for one that belongs to none.
        target: word of each piece of the answer, likewise.

    >>> align_words(np.array([[0.9, 0.1, 0.0], [0.1, 0.3, 0.6]]), [0, 1, 1], [0, 1])
    ((0, 0), (1, 1))
    """
    words = max(target, default=NO_WORD) + 1, max(source, default=NO_WORD) + 1
    if not all(words):
        return ()
    of_answer, of_source = (np.flatnonzero(np.array(side) != NO_WORD) for side in (target, source))
    received = np.zeros(words)
    at = np.array(target)[of_answer][:, None], np.array(source)[of_source][None, :]
    np.add.at(received, at, attention[np.ix_(of_answer, of_source)])
    return tuple((int(word), each) for each, word in enumerate(received.argmax(1)))
