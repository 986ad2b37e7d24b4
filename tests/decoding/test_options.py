"""Settings of a search out of range are refused by name."""

from typing import Any

import pytest

from recurra.decoding import DecodingOptions
from recurra.errors import ConfigError


@pytest.mark.parametrize(
    "wrong",
    [
        {"beam": 0}, {"beam": 2.0}, {"n_best": 6}, {"n_best": True}, {"temperature": 0.0}, {"length_penalty": -1.0},
        {"coverage_penalty": float("nan")}, {"no_repeat": -1}, {"top_k": -2}, {"max_extra": 0}, {"seed": -1},
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        DecodingOptions(**wrong)


def test_sampled_answers_may_be_more_than_the_beam() -> None:
    assert DecodingOptions(sample=True, n_best=20).n_best == 20


def test_the_limit_and_the_penalty_are_the_formulas() -> None:
    options = DecodingOptions(max_ratio=1.5, max_extra=3, length_penalty=2.0)
    assert options.limit(5) == 11  # 7.5 rounded up, and 3
    assert options.normalised(-8.0, 7) == -2.0  # (5 + 7) / 6 = 2, squared 4
