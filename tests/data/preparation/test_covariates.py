"""Covariates as numbers: numpy's mean and deviation, one column a category, errors that name row and column."""

import json

import numpy as np
import pytest

from recurra.data.preparation.covariates import MOST_CATEGORIES, CovariateEncoder
from recurra.errors import BadValueError, ConfigError

COLUMNS = {"t": np.array([1.0, 3.0, 8.0]), "c": np.array(["b", "a", "b"], object)}


def test_numbers_are_standardised_and_categories_become_columns():
    encoder = CovariateEncoder.fit(COLUMNS, ("t", "c"))
    assert encoder.width == 3
    encoded = encoder.encode(COLUMNS, 3)
    np.testing.assert_allclose(encoded[:, 0], (COLUMNS["t"] - 4.0) / np.std([1.0, 3.0, 8.0]))
    assert encoded[:, 1:].tolist() == [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]


def test_a_constant_column_is_zero_and_not_rounding():
    """The mean of ten 0.1 is not 0.1; dividing that error by its own deviation would give ones."""
    values = {"t": np.full(10, 0.1)}
    encoder = CovariateEncoder.fit(values, ("t",))
    assert encoder.encode(values, 10).tolist() == [[0.0]] * 10
    assert encoder.encode({"t": np.array([1.1])}, 1)[0, 0] == pytest.approx(1.0)


def test_an_unseen_category_is_refused_with_row_and_column():
    encoder = CovariateEncoder.fit(COLUMNS, ("c",))
    with pytest.raises(BadValueError, match="row 17, column 'c': category 'z' was not seen at fit"):
        encoder.encode({"c": np.array(["a", "z"], object)}, 2, np.array([16, 17]))


def test_text_where_numbers_were_learned_is_refused():
    encoder = CovariateEncoder.fit(COLUMNS, ("t",))
    with pytest.raises(BadValueError, match="column 't' holds categories"):
        encoder.encode({"t": np.array(["a"], object)}, 1)


def test_too_many_categories_are_refused():
    many = np.array([str(i) for i in range(MOST_CATEGORIES + 1)], object)
    with pytest.raises(ConfigError, match="group the rare ones"):
        CovariateEncoder.fit({"c": many}, ("c",))


def test_no_columns_are_an_empty_matrix():
    assert CovariateEncoder.fit({}, ()).encode({}, 4).shape == (4, 0)


def test_config_round_trip():
    """Through JSON with sorted keys, as model folders hold it: the columns keep their order."""
    encoder = CovariateEncoder.fit(COLUMNS, ("t", "c"))
    again = CovariateEncoder.from_config(json.loads(json.dumps(encoder.to_config(), sort_keys=True)))
    np.testing.assert_array_equal(encoder.encode(COLUMNS, 3), again.encode(COLUMNS, 3))
    assert again == encoder


def test_a_missing_number_is_the_mean_and_says_so():
    """Mean of 1, 3, 8 is 4; then whether it is missing, and log(1 + rows missing so far)."""
    encoder = CovariateEncoder.fit({"t": np.array([1.0, np.nan, 3.0, 8.0])}, ("t",), masked=True)
    assert encoder.masked == ("t",)
    encoded = encoder.encode({"t": np.array([4.0, np.nan])}, 2, since={"t": np.array([0, 3])})
    np.testing.assert_allclose(encoded, [[0.0, 0.0, 0.0], [0.0, 1.0, np.log(4.0)]], atol=1e-15)


def test_an_unknown_category_is_the_mean_of_those_that_were_learned():
    """Two of three training rows are b: what stands for an unknown one is their shares, which average their weights."""
    encoder = CovariateEncoder.fit(COLUMNS, ("c",), unseen="ignore")
    encoded = encoder.encode({"c": np.array(["z", "a"], object)}, 2)
    np.testing.assert_allclose(encoded, [[1 / 3, 2 / 3], [1.0, 0.0]])


def test_a_missing_category_says_so_and_an_unseen_one_is_still_refused():
    values = {"c": np.array(["b", None, "a", "b"], object)}
    encoder = CovariateEncoder.fit(values, ("c",), masked=True)
    encoded = encoder.encode({"c": np.array([None, "b"], object)}, 2, since={"c": np.array([1, 0])})
    np.testing.assert_allclose(encoded, [[1 / 3, 2 / 3, 1.0, np.log(2.0)], [0.0, 1.0, 0.0, 0.0]])
    with pytest.raises(BadValueError, match="row 5, column 'c': category 'z'"):
        encoder.encode({"c": np.array([None, "z"], object)}, 2, np.array([4, 5]))


def test_a_hole_in_numbers_that_had_none_is_refused():
    encoder = CovariateEncoder.fit(COLUMNS, ("t",))
    with pytest.raises(BadValueError, match="row 7, column 't': the covariate is missing; fit with missing_covariates"):
        encoder.encode({"t": np.array([1.0, np.nan])}, 2, np.array([6, 7]))


@pytest.mark.parametrize("unseen", ["refuse", "ignore"])
def test_masks_go_through_config(unseen):
    values = {"t": np.array([1.0, np.nan, 8.0]), "c": np.array(["b", None, "a"], object), "e": np.full(3, None, object)}
    encoder = CovariateEncoder.fit(values, ("t", "c", "e"), masked=True, unseen=unseen)
    again = CovariateEncoder.from_config(json.loads(json.dumps(encoder.to_config(), sort_keys=True)))
    assert again == encoder
    assert again.encode(values, 3).shape == (3, 3 + 4 + 2)
