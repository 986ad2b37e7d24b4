"""When an utterance ends: each of the three rules, at its very step."""

import pytest

from recurra.errors import ConfigError
from recurra.prediction import Endpoint

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
