"""Splits by speaker: nobody is on both sides, and who is gets named."""

import pytest

from recurra.data.audio.manifest import Utterances
from recurra.data.audio.speakers import split_speakers, warn_of_overlap
from recurra.errors import ConfigError, SpeakerOverlapWarning

N = 60
SPEAKERS = tuple(f"s{i % 6}" for i in range(N))


def utterances(speakers: tuple[str, ...] | None = SPEAKERS, splits: tuple[str, ...] | None = None) -> Utterances:
    return Utterances(tuple(range(N)), ("x",) * N, speakers, splits)


@pytest.mark.parametrize(("validation", "held"), [(0.2, 1), (0.5, 3), (2, 2), (0.01, 1)])
def test_whole_speakers_are_held_out(validation: float, held: int) -> None:
    train, other = split_speakers(utterances(), validation, seed=4)
    assert not set(train.speakers or ()) & set(other.speakers or ())
    assert len(set(other.speakers or ())) == held
    assert len(train) + len(other) == N


def test_the_seed_draws_them() -> None:
    drawn = {split_speakers(utterances(), 1, seed=seed).validation.speakers for seed in range(10)}
    assert len(drawn) > 1
    assert split_speakers(utterances(), 1, seed=2) == split_speakers(utterances(), 1, seed=2)


def test_without_speakers_utterances_are_held_out() -> None:
    train, other = split_speakers(utterances(None), 0.25)
    assert (len(train), len(other)) == (45, 15)


def test_nothing_is_held_out_when_told_so() -> None:
    train, other = split_speakers(utterances(), 0)
    assert (len(train), len(other)) == (N, 0)


def test_the_manifests_own_split_counts_and_tests_are_left_out() -> None:
    splits = tuple({"s0": "test", "s1": "validation"}.get(name, "train") for name in SPEAKERS)
    train, other = split_speakers(utterances(splits=splits), 0.2)
    assert set(other.speakers or ()) == {"s1"}
    assert set(train.speakers or ()) == {"s2", "s3", "s4", "s5"}


def test_a_speaker_on_both_sides_is_warned_of_by_name() -> None:
    splits = tuple("test" if i < 2 else "train" for i in range(N))
    with pytest.warns(SpeakerOverlapWarning, match=r"2 speaker\(s\) .* \(s0, s1\)"):
        warn_of_overlap(utterances(splits=splits))


def test_one_speaker_is_warned_of() -> None:
    with pytest.warns(SpeakerOverlapWarning, match=r"all utterances are of one speaker \(s\)"):
        train, other = split_speakers(utterances(("s",) * N), 0.25)
    assert (len(train), len(other)) == (45, 15)


def test_somebody_must_be_left_to_learn_from() -> None:
    with pytest.raises(ConfigError, match="none to learn from"):
        split_speakers(utterances(), 6)
    with pytest.raises(ConfigError, match="left to learn from"):
        split_speakers(utterances(splits=("test",) * N), 0.2)
