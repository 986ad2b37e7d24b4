"""The translation sets themselves, where RECURRA_DATA_DIR has them; expected figures are the published ones."""

import os

import pytest

from recurra.data.catalogue import ENVIRONMENT, load_cmudict, load_multi30k
from recurra.data.catalogue.translation import part_of_word
from recurra.errors import ConfigError
from recurra.metrics import bleu

needs_data = pytest.mark.skipif(not os.environ.get(ENVIRONMENT), reason=f"{ENVIRONMENT} is not set")


@needs_data
def test_multi30k_has_its_published_sizes_and_the_score_of_copying() -> None:
    """29,000 / 1,014 / 1,000 pairs; copying the source scores 0.6, with another tokeniser than sacrebleu's."""
    data = load_multi30k("de", "en")
    assert [len(part) for part in data] == [29_000, 1_014, 1_000]
    assert data.train.target[0] == "Two young, White males are outside near many bushes."
    assert bleu(data.test.source, data.test.target, lowercase=True).score == pytest.approx(0.6, abs=0.2)
    turned = load_multi30k("en", "de")
    assert turned.test.source == data.test.target
    with pytest.raises(ConfigError, match="from 'de' to 'fr'"):
        load_multi30k("de", "fr")


@needs_data
def test_cmudict_is_split_by_word() -> None:
    """126,052 words; 5 % and 2 % of them are held out, up to chance."""
    data = load_cmudict()
    sizes = [len(part.words) for part in data]
    assert sum(sizes) == 126_052
    assert sizes[1] == pytest.approx(0.02 * 126_052, rel=0.1)
    assert sizes[2] == pytest.approx(0.05 * 126_052, rel=0.1)
    assert not set(data.train.words) & set(data.test.words)
    for part, number in zip(data, (0, 1, 2), strict=True):
        assert {part_of_word(word) for word in part.words} == {number}
    said = {word: accepted for part in data for word, accepted in zip(*part, strict=True)}
    assert said["abandon"] == ("AH B AE N D AH N",)  # stress removed
    assert said["tomato"] == ("T AH M EY T OW", "T AH M AA T OW")
    assert len(data.test.pairs()) == sum(map(len, data.test.accepted))


def test_the_part_of_a_word_is_its_hash() -> None:
    # by hand: SHA-1("abc") begins with a9993e36, and 0xa9993e36 % 100 = 2845392438 % 100 = 38
    assert part_of_word("abc") == 0
