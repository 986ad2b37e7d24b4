"""sktime's own checks of a forecaster, all of them, over the one with small networks."""

import warnings

import pytest
from sktime.utils.estimator_checks import check_estimator

from recurra.learners.adapters import RecurrentForecaster

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(1800)]  # a minute and a half on a machine at rest

CHECKS = 750  # sktime 1.2 runs 890 of them on two sets of parameters


def test_the_forecaster_passes_every_check() -> None:
    # expected: sktime's estimator_checks, none left out by name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the checks themselves
        results = check_estimator(RecurrentForecaster, raise_exceptions=False, verbose=False)
    failed = {name: repr(result) for name, result in results.items() if not isinstance(result, str)}
    assert not failed
    assert len(results) >= CHECKS
