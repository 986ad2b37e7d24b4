"""Names and policies: what contradicts itself is refused when it is made."""

import pytest

from recurra.data.columns import Columns, TablePolicy
from recurra.errors import ConfigError


def test_one_column_cannot_be_two_things() -> None:
    with pytest.raises(ConfigError, match="must differ"):
        Columns("a", "b", "a")


@pytest.mark.parametrize("name", ["missing", "unsorted", "gaps", "missing_covariates"])
def test_an_unknown_word_names_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}='whatever' is unknown; use one of 'refuse'"):
        TablePolicy(**{name: "whatever"})  # type: ignore[arg-type]


def test_filled_gaps_need_masked_targets() -> None:
    with pytest.raises(ConfigError, match="missing='mask'"):
        TablePolicy(gaps="fill")
