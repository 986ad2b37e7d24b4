"""Vocabularies: codes in alphabetical order, and a clear refusal of what was not seen."""

import json

import numpy as np
import pytest

from recurra.data.categories import Vocabulary
from recurra.errors import BadValueError


def test_codes_do_not_depend_on_the_order_of_rows() -> None:
    vocabulary = Vocabulary.fit(["U", "W", "A", "W"])
    assert vocabulary.values == ("A", "U", "W")
    assert vocabulary == Vocabulary(["W", "A", "U"])
    assert hash(vocabulary) == hash(Vocabulary(["W", "A", "U"]))
    codes = vocabulary.encode([["W", "A"], ["U", "U"]])
    assert codes.tolist() == [[2, 0], [1, 1]]
    assert vocabulary.decode(codes).tolist() == [["W", "A"], ["U", "U"]]
    assert Vocabulary.from_config(json.loads(json.dumps(vocabulary.to_config()))) == vocabulary


@pytest.mark.parametrize("value", ["X", None, 3])
def test_an_unseen_category_is_named_with_its_place(value: object) -> None:
    values = np.array(["A", value], object)
    with pytest.raises(
        BadValueError, match=rf"row 17, column 'day_type': category {value!r} was not seen at fit \('A', 'B'\)"
    ):
        Vocabulary(["A", "B"]).encode(values, column="day_type", rows=np.array([16, 17]))
    with pytest.raises(BadValueError, match=f"^category {value!r} was not seen"):
        Vocabulary(["A", "B"]).encode(values)
