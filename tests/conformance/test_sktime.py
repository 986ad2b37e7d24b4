"""sktime's own checks of a forecaster, all of them, over the one with small networks."""

import warnings
from collections import Counter
from collections.abc import Callable

import pytest
from sktime.utils.estimator_checks import check_estimator

from recurra.learners.adapters import RecurrentForecaster

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(1800)]  # a minute and a half on a machine at rest

CHECKS = 750


def test_the_forecaster_passes_every_check(record_property: Callable[[str, object], None]) -> None:
    # expected: sktime's estimator_checks, none left out by name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the checks themselves
        results = check_estimator(RecurrentForecaster, raise_exceptions=False, verbose=False)
    for status, count in Counter(
        str(one).lower() if isinstance(one, str) else "failed" for one in results.values()
    ).items():
        record_property(f"checks {status}", count)
    failed = {name: repr(result) for name, result in results.items() if not isinstance(result, str)}
    assert not failed
    assert len(results) >= CHECKS
