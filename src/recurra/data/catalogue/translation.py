"""The translation sets of the catalogue as pairs of texts."""

import hashlib
from typing import NamedTuple

from recurra.data.catalogue.store import locate
from recurra.data.text import SentencePairs, read_lines, read_pairs
from recurra.errors import ConfigError

LANGUAGES = ("de", "en")


class Multi30k(NamedTuple):
    """Multi30k, task 1, with its own cut.

    Attributes:
        train: 29,000 pairs.
        validation: 1,014 pairs.
        test: test 2016 (Flickr), 1,000 pairs.
    """

    train: SentencePairs
    validation: SentencePairs
    test: SentencePairs


class Pronunciations(NamedTuple):
    """A part of the pronouncing dictionary.

    Attributes:
        words: in small letters, in the order of the file.
        accepted: every pronunciation that is listed for each, phonemes without stress separated by spaces.
    """

    words: tuple[str, ...]
    accepted: tuple[tuple[str, ...], ...]

    def pairs(self) -> SentencePairs:
        """Each word beside each of its pronunciations."""
        rows = [(word, said) for word, all_said in zip(*self, strict=True) for said in all_said]
        return SentencePairs(tuple(word for word, _ in rows), tuple(said for _, said in rows), "cmudict")


class CmuDict(NamedTuple):
    """The pronouncing dictionary, split by word."""

    train: Pronunciations
    validation: Pronunciations
    test: Pronunciations


def load_multi30k(source: str = "de", target: str = "en") -> Multi30k:
    """Multi30k task 1: descriptions of pictures in English and German, raw text.

    Args:
        source: language to translate from, "de" or "en".
        target: the other one.

    Raises:
        ConfigError: for other languages.
        DataSetNotFound, ChecksumError: as for `locate`.
    """
    if {source, target} != set(LANGUAGES):
        raise ConfigError(f"multi30k is read from de to en or from en to de, not from {source!r} to {target!r}")
    folder = locate("multi30k")
    parts = ("train", "val", "test_2016_flickr")
    return Multi30k(*(read_pairs(folder / f"{part}.{source}.gz", folder / f"{part}.{target}.gz") for part in parts))


def load_cmudict() -> CmuDict:
    """The CMU pronouncing dictionary, stress removed, split by word.

    A word belongs to the test part if the first 8 hexadecimal digits of its SHA-1, as a number modulo 100, are below 5,
    to the validation part if 5 or 6, and else to the training part.

    Raises:
        DataSetNotFound, ChecksumError: as for `locate`.
    """
    said: dict[str, list[str]] = {}
    for line in read_lines(locate("cmudict") / "cmudict.dict"):
        word, *phonemes = line.partition("#")[0].split()
        name = word.partition("(")[0] if word.endswith(")") else word
        pronunciation = " ".join(phoneme.rstrip("012") for phoneme in phonemes)
        if pronunciation not in said.setdefault(name, []):
            said[name].append(pronunciation)
    parts: tuple[dict[str, list[str]], ...] = ({}, {}, {})
    for name, pronunciations in said.items():
        parts[part_of_word(name)][name] = pronunciations
    return CmuDict(*(Pronunciations(tuple(part), tuple(map(tuple, part.values()))) for part in parts))


def part_of_word(word: str) -> int:
    """0 for the training part, 1 for validation, 2 for test."""
    number = int(hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest()[:8], 16) % 100
    return 2 if number < 5 else 1 if number < 7 else 0
