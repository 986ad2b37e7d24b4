"""The logarithm and back: numpy's log1p, row and column of a negative value, and never below zero."""

import numpy as np
import pytest

from recurra.data import Columns, SeriesTable
from recurra.data.preparation.units import in_model_units, to_model_units, to_table_units
from recurra.errors import BadValueError


def table(y, **columns):
    rows = {"unique_id": ["a"] * len(y), "ds": list(range(len(y))), "y": y}
    return SeriesTable.from_table({**rows, **columns}, columns=Columns(more_targets=tuple(columns)))


def test_there_and_back():
    y = np.array([0.0, 1e-3, 5.0, 1e30])
    np.testing.assert_allclose(to_table_units(to_model_units(y, "log"), "log"), y, rtol=1e-12)
    np.testing.assert_array_equal(in_model_units(table(y.tolist()), "log").y, np.log1p(y))
    assert to_table_units(np.array([-3.0, 1e9]), "log") == pytest.approx([0.0, 1e30])
    assert to_model_units(y, "running") is y
    assert to_table_units(y, "standard") is y


def test_a_negative_value_is_named_with_row_column_and_remedy():
    with pytest.raises(BadValueError, match=r"row 2, column 'y' \(series 'a'\): -0.5 is negative; .*another scaling"):
        in_model_units(table([1.0, -0.5]), "log")
    with pytest.raises(BadValueError, match="row 2, column 'z'"):
        in_model_units(table([1.0, 2.0], z=[3.0, -4.0]), "log")
    assert in_model_units(table([1.0, -0.5]), "running").y.tolist() == [1.0, -0.5]
