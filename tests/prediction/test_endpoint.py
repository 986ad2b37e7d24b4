"""When an utterance ends: each of the three rules, at its very step."""

import numpy as np
import pytest

from recurra.errors import ConfigError
from recurra.prediction import Endpoint
from recurra.prediction.endpoint import Loudness

RULES = Endpoint(silence_s=0.4, idle_s=1.0, longest_s=3.0)


@pytest.mark.parametrize(
    ("steps", "last_heard", "ended"),
    [
        (49, None, False),
        (50, None, True),
        (30, 10, False),
        (31, 10, True),
        (149, 148, False),
        (150, 149, True),
        (0, None, False),
    ],
)
def test_rules(steps: int, last_heard: int | None, ended: bool) -> None:
    """Expected by hand, for steps of 20 ms."""
    assert RULES.reached(steps, last_heard, 0.02) is ended


@pytest.mark.parametrize("name", ["silence_s", "idle_s", "longest_s"])
def test_times_must_be_above_zero(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Endpoint(**{name: 0.0})


@pytest.mark.parametrize(
    ("steps", "last_heard", "quiet_s", "ended"),
    [(60, 10, 0.39, False), (60, 10, 0.4, True), (60, None, 0.39, False), (60, None, 0.4, True), (150, 149, 0.0, True)],
)
def test_an_utterance_ends_in_quiet_alone(steps: int, last_heard: int | None, quiet_s: float, ended: bool) -> None:
    """Expected by hand: 0.4 s of quiet at the end, unless the utterance has got too long."""
    assert RULES.reached(steps, last_heard, 0.02, quiet_s) is ended


def told(levels_db: list[float]) -> list[bool]:
    """What is said of blocks of noise of 40 ms at these levels."""
    random, loudness = np.random.default_rng(0), Loudness(0.04)
    sigma = [10.0 ** (db / 20.0) for db in levels_db]
    return [loudness.is_sound((s * random.standard_normal(320)).astype(np.float32)) for s in sigma]


@pytest.mark.parametrize("floor_db", [-80.0, -55.0, -30.0])
def test_sound_is_told_from_the_quiet_around_it(floor_db: float) -> None:
    """Expected: bursts 20 dB above the noise, whatever the noise."""
    quiet, burst = [floor_db] * 20, [floor_db + 20.0] * 10
    assert told([*quiet, *burst, *quiet, *burst, *quiet]) == [False] * 20 + ([True] * 10 + [False] * 20) * 2


def test_steady_noise_and_nothing_at_all_are_quiet() -> None:
    assert not any(told([-40.0] * 100))
    loudness = Loudness(0.04)
    assert not any(loudness.is_sound(np.zeros(320, np.float32)) for _ in range(100))


def test_a_noise_that_comes_to_stay_is_quiet_after_a_while() -> None:
    """Expected: a rise by 30 dB counts as sound until the floor, 3 dB a second, is within 6 dB of it: 8 s."""
    found = told([*[-70.0] * 50, *[-40.0] * 250])[50:]
    assert all(found[:185])
    assert not any(found[210:])
