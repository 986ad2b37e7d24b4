"""scaling="auto" takes what does best on held-out training rows, and says so."""

import numpy as np
import pytest

from recurra.data import SeriesTable
from recurra.data.preparation import PreparationSpec
from recurra.learners.scaling_choice import KINDS, choose_scaling
from recurra.learners.schema import ForecasterConfig

SPEC = PreparationSpec(horizon=2, season=1, reference="naive", scaling="auto", frequency="1")


class Stub:
    """Stands in for a trained network: its forecasts err by a fixed amount."""

    is_direct, affordable = True, None

    def __init__(self, error, y):
        self.error, self.y = error, y

    def hindcast(self, table, first, most):
        rows = np.arange(int(first[0]), len(table))
        actual = np.stack([np.append(self.y, [np.nan] * 2)[rows + k] for k in (1, 2)], axis=1)
        quantiles = actual[:, :, None] + np.array([-self.error, 0.0, self.error])
        return type("Hindcast", (), {"rows": rows, "levels": (0.1, 0.5, 0.9), "actual": actual, "quantiles": quantiles})


def choose(y, errors):
    table = SeriesTable.from_table({"unique_id": ["a"] * len(y), "ds": list(range(len(y))), "y": list(y)})
    seen = []

    def trial(training, cuts, spec, brief):
        seen.append((spec.scaling, int(cuts[0]), brief.max_epochs))
        return Stub(errors[spec.scaling], y)

    return choose_scaling(table, SPEC, ForecasterConfig(horizon=2, max_epochs=40), trial), seen


def test_the_lowest_loss_wins_and_the_reason_has_all_of_them():
    """By hand: quantiles at 0.1 and 0.9 that err by e cost 0.1 e each, two of three levels; the steps are 1."""
    errors = dict(zip(KINDS, (6.0, 3.0, 1.5, 4.5, 9.0, 7.5), strict=True))
    (kind, reason), seen = choose(np.arange(40.0), errors)
    assert kind == "standard"
    assert "running 0.4000, instance 0.2000, standard 0.1000" in reason
    assert seen == [(name, 34, 5) for name in KINDS]  # 15 % of 40 rows are held out, five epochs each


def test_logarithms_are_tried_only_where_there_are_any():
    (_, reason), seen = choose(np.arange(40.0) - 5.0, dict.fromkeys(KINDS, 1.0))
    assert [name for name, *_ in seen] == [name for name in KINDS if name != "log"]
    assert "log" not in reason


def test_too_few_rows_to_hold_any_out():
    (kind, reason), seen = choose(np.arange(5.0), {})
    assert (kind, seen) == ("running", [])
    assert "too few" in reason


@pytest.mark.parametrize("scaling", ["auto"])
def test_a_forecaster_tells_what_it_took(scaling, table, quick):
    model = quick(scaling=scaling).fit(table)
    assert model.scaling_ in KINDS
    assert model.reasons_["scaling"].startswith("lowest quantile loss on held-out training rows")
