"""What a forecaster chooses for itself, on data where the right choice is known."""

import numpy as np
import pytest

from recurra.data import SeriesTable
from recurra.data.preparation import PreparationSpec
from recurra.errors import TooShortError
from recurra.learners.choices import candidate_references, choose_context, validation_cuts
from recurra.learners.schema import ForecasterConfig


def one_series(y):
    return SeriesTable.from_table({"unique_id": ["a"] * len(y), "ds": list(range(len(y))), "y": list(map(float, y))})


def chosen(y, season):
    config = ForecasterConfig(horizon=2)
    spec = PreparationSpec(horizon=2, season=season, reference="naive", scaling="running", frequency="1")
    return candidate_references(one_series(y), spec, config)[0].kind


def test_a_walk_is_naive_noise_is_a_mean_and_a_steady_season_is_seasonal(rng):
    assert chosen(np.cumsum(rng.normal(size=300)), 1) == "naive"
    assert chosen(rng.normal(size=300), 1) == "none"
    assert chosen(np.tile([0.0, 5.0, 9.0, -3.0], 60) + 0.01 * rng.normal(size=240), 4) == "seasonal"


def test_a_walk_of_days_is_naive_before_it_is_a_mean_of_the_week(rng):
    """The mean of the last week is tried on it too, as on noise, where the last value is not."""
    spec = PreparationSpec(horizon=2, season=7, reference="naive", scaling="running", frequency="1")
    steps, config = rng.normal(size=300), ForecasterConfig(horizon=2)
    walk = [one.kind for one in candidate_references(one_series(np.cumsum(steps)), spec, config)]
    assert walk == ["naive", "season_mean", "linear"]
    assert "naive" not in [one.kind for one in candidate_references(one_series(steps), spec, config)]


def test_where_no_error_is_known_nothing_wanders(rng):
    spec = PreparationSpec(horizon=3, season=7, reference="naive", scaling="running", frequency="1")
    found = candidate_references(one_series(rng.normal(size=8)), spec, ForecasterConfig(horizon=3))
    assert [one.kind for one in found] == ["none"]


def test_what_is_asked_for_is_taken(rng):
    spec = PreparationSpec(horizon=2, season=4, reference="naive", scaling="running", frequency="1")
    table = one_series(rng.normal(size=100))
    for kind in ("none", "season_mean", "linear"):
        found = candidate_references(table, spec, ForecasterConfig(residual=kind))
        assert [candidate.kind for candidate in found] == [kind]
    with pytest.raises(TooShortError, match="residual='linear' needs longer series"):
        candidate_references(one_series(rng.normal(size=9)), spec, ForecasterConfig(residual="linear"))


def test_the_validation_part_leaves_enough_to_learn_from():
    """15 % of 100 rows; of 10 rows no more than leaves horizon + 2 = 5 to learn from; a number of rows as it is."""
    assert validation_cuts(one_series(np.arange(100)), ForecasterConfig(horizon=3)).tolist() == [85]
    assert validation_cuts(one_series(np.arange(10)), ForecasterConfig(horizon=3, validation=0.9)).tolist() == [5]
    assert validation_cuts(one_series(np.arange(100)), ForecasterConfig(validation=30)).tolist() == [70]


@pytest.mark.parametrize(("context", "needed", "why"), [(None, 8, "two horizons and two more"), (20, 23, "context")])
def test_a_series_that_is_too_short_is_named(context, needed, why):
    config = ForecasterConfig(horizon=3, context=context)
    assert validation_cuts(one_series(np.arange(needed)), config).tolist()
    with pytest.raises(TooShortError, match=rf"series 'a' has {needed - 1} rows.*needs at least {needed} \({why}"):
        validation_cuts(one_series(np.arange(needed - 1)), config)


def test_the_context_covers_two_seasons_and_two_horizons():
    assert choose_context(ForecasterConfig(context=5), 7) == 5
    assert choose_context(ForecasterConfig(horizon=1), 7) >= 14
    assert choose_context(ForecasterConfig(horizon=40), 7) >= 80
