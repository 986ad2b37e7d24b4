"""The laws that small tables are drawn from."""

import numpy as np
import pytest

from benchmarks.small_tables import CASES, HORIZON, KEEPS, LAWS, draw, report


@pytest.mark.parametrize("law", LAWS)
def test_no_forecast_is_better_than_the_law(law: str) -> None:
    """Its error one day ahead is the noise, of deviation 1; that of the last value is no less."""
    drawn = [draw(law, 120, seed) for seed in range(400)]
    errors = np.array([y[120] - best[0] for y, best in drawn])
    last = np.array([y[120] - y[119] for y, _ in drawn])
    assert all(best.shape == (HORIZON,) for _, best in drawn)
    assert errors.std() == pytest.approx(1.0, abs=0.1)
    assert last.std() >= errors.std()


def test_the_table_has_a_row_a_run() -> None:
    run = {"coverage": 0.91, "forecast": 1.0, "last value": 2.0, "the law": 0.5, "rule stays": 3}
    told = report({f"{case}/{keep}": run for case in CASES for keep in KEEPS})
    assert told.count("| 91.0 % | 1.000 | 2.000 | 0.500 | 3 |") == len(CASES) * len(KEEPS)
    assert "Not run: " in report({})
