"""What fell back is told by name; a table that was read otherwise than the settings say is refused."""

import numpy as np
import pandas as pd
import pytest

from recurra.data import Columns, SeriesTable, TablePolicy
from recurra.errors import BadValueError, MissingColumnError, TableError
from recurra.learners.choices import validation_cuts
from recurra.learners.schema import ForecasterConfig
from recurra.learners.table_checks import check_table, fallbacks


def read(frame, **settings):
    columns = Columns(more_targets=settings.pop("more_targets", ()))
    return SeriesTable.from_table(frame, columns=columns, freq="D", policy=TablePolicy(missing="mask"), **settings)


def test_short_bare_and_constant_series_are_named(make_table):
    """With horizon 3 eight rows are needed; one row teaches nothing; a constant one is scaled by its size."""
    frame = pd.concat([
        make_table("a", 40), make_table("b", 5), make_table("c", 1), make_table("d", 30).assign(y=4.0),
        make_table("e", 20).assign(y=np.nan),
    ])  # fmt: skip
    table, config = read(frame), ForecasterConfig(horizon=3, missing="mask")
    cuts = validation_cuts(table, config)
    assert cuts.tolist() == [34, 5, 1, 25, 17]
    told = fallbacks(table, cuts, config)
    assert set(told) == {"short series", "bare series", "constant series"}
    assert told["short series"].startswith("2 of 5 series ('b', 'c') have fewer than 8 rows")
    assert told["bare series"].startswith("2 of 5 series ('c', 'e')")
    assert told["constant series"].startswith("1 of 5 series ('d')")


def test_nothing_is_told_where_nothing_fell_back(make_table):
    table, config = read(make_table()), ForecasterConfig(horizon=3)
    assert fallbacks(table, validation_cuts(table, config), config) == {}


def test_a_table_that_was_read_otherwise_is_refused(make_table):
    frame = make_table(z=1.0)
    with pytest.raises(MissingColumnError, match="read without the column 'p'"):
        check_table(read(frame), ForecasterConfig(past_covariates=("p",)))
    with pytest.raises(TableError, match="with the targets 'y', not 'y', 'z'"):
        check_table(read(frame), ForecasterConfig(y=("y", "z")))
    frame.loc[61, "z"] = np.nan
    with pytest.raises(BadValueError, match="row 62, column 'z': the target is missing"):
        check_table(read(frame, more_targets=("z",)), ForecasterConfig(y=("y", "z")))
