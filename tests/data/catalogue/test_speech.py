"""The speech sets as utterances: counts and splits as the protocols have them."""

import os

import pytest

from recurra.data.audio import read_mfc, read_recording
from recurra.data.catalogue import load_an4, load_fsdd

pytestmark = pytest.mark.skipif("RECURRA_DATA_DIR" not in os.environ, reason="RECURRA_DATA_DIR names no data folder")


def test_fsdd() -> None:
    """Expected: the published counts: 6 speakers, 10 digits, 50 takes, of which 5 are the test."""
    found = load_fsdd()
    assert (len(found), len(found.of_split("test")), len(set(found.speakers or ()))) == (3000, 300, 6)
    assert sorted(set(found.targets)) == list("0123456789")
    assert read_recording(found.inputs[0]).sample_rate_hz == 8000


def test_an4() -> None:
    """Expected: 948 / 130 utterances, 773 words and 2,565 characters in the test, no speaker on both sides."""
    found = load_an4()
    train, test = found.of_split("train"), found.of_split("test")
    assert (len(train), len(test)) == (948, 130)
    assert sum(len(text.split()) for text in test.targets) == 773
    assert sum(len(text) for text in test.targets) == 2565
    assert not set(train.speakers or ()) & set(test.speakers or ())
    assert read_mfc(test.inputs[0]).shape[1] == 13
