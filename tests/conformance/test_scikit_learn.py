"""scikit-learn's own checks of an estimator, all of them, over the regressor of windows."""

import warnings
from collections import Counter
from collections.abc import Callable

import pytest
from sklearn.utils.estimator_checks import check_estimator

from recurra.learners.adapters import RecurrentRegressor

pytestmark = pytest.mark.conformance


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_regressor_passes_every_check(cell: str, record_property: Callable[[str, object], None]) -> None:
    # expected: scikit-learn's estimator_checks; those it skips itself are named by it, none by us
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the checks themselves
        results = check_estimator(RecurrentRegressor(cell=cell, max_epochs=20), on_skip=None, on_fail=None)
    for status, count in Counter(one["status"] for one in results).items():
        record_property(f"checks {status}", count)
    failed = {one["check_name"]: str(one["exception"]) for one in results if one["status"] in ("failed", "xfail")}
    assert not failed
    assert sum(one["status"] == "passed" for one in results) >= 50
