"""What a forecasting network begins with, and whether it keeps what it learned."""

import math

import numpy as np
import pytest
import torch

from recurra.data import SeriesTable, WindowIndex
from recurra.data.preparation import Preparation, PreparationSpec
from recurra.models.forecast import ForecastNetwork, ForecastShape, ordered_quantiles
from recurra.training.forecast import ForecastTask, WindowPlan
from recurra.training.forecast_start import begin_with_errors, keep_what_shows, mean_gain

LEVELS = (0.05, 0.25, 0.5, 0.9)
ROWS, CUT, HORIZON = 600, 500, 4


def build(y):
    """A fresh network that corrects the last value, on one series whose last hundred rows are validated on."""
    table = SeriesTable.from_table({"unique_id": ["a"] * len(y), "ds": list(range(len(y))), "y": y.tolist()})
    spec = PreparationSpec(horizon=HORIZON, season=1, reference="naive", scaling="running", frequency="1", memory=64)
    training = table.truncate([min(CUT, len(y) - 10)])
    preparation = Preparation.fit(training, spec)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = ForecastNetwork(ForecastShape(preparation.n_inputs, 0, HORIZON, LEVELS, "gru", 4)).double()
    windows, plan = WindowIndex(training, 16, 1, HORIZON), WindowPlan(16, youngest=8)
    return ForecastTask(network, preparation.rows(table), training.offsets[1:], windows, plan)


@pytest.fixture
def walk():
    return build(np.random.default_rng(2).normal(size=ROWS).cumsum())


def start(network):
    """The quantiles that a network says of every state while its weights are zero, [horizon, level]."""
    return ordered_quantiles(network.head.state.bias.detach().reshape(HORIZON, -1), 2).numpy()


def test_the_first_quantiles_are_those_of_the_rule_s_errors(walk):
    """A walk wanders by sqrt(k) in k steps: so do the quantiles, around the rule itself."""
    begin_with_errors(walk)
    found, errors = start(walk.network), walk.rule_errors(10_000)
    for k in range(HORIZON):
        known = errors[~np.isnan(errors[:, k]), k]
        expected = np.quantile(known, LEVELS)
        np.testing.assert_allclose(found[k], expected - expected[2], atol=2e-3)
    widths = found[:, -1] - found[:, 0]
    np.testing.assert_allclose(widths / widths[0], np.sqrt(np.arange(1, HORIZON + 1)), rtol=0.2)


def test_the_errors_end_before_the_validation_part(walk):
    """No target at or after the cut is read: the last four origins lack one to four of theirs."""
    errors = walk.rule_errors(10_000)
    assert np.isnan(errors).sum() == HORIZON * (HORIZON + 1) // 2
    y = walk.prepared.y
    np.testing.assert_allclose(errors[-2, 0] * walk.prepared.step[CUT - 2], y[CUT - 1] - y[CUT - 2])
    assert len(walk.rule_errors(50)) == 50


def test_a_short_series_keeps_the_first_quantiles():
    task = build(np.random.default_rng(2).normal(size=50).cumsum())
    before = start(task.network)
    begin_with_errors(task)
    np.testing.assert_array_equal(start(task.network), before)


def change(network, shift):
    """Move every median by a share of a step."""
    with torch.no_grad():
        network.head.state.bias.reshape(HORIZON, -1)[:, 2] += shift


def test_what_is_worse_than_the_rule_or_hardly_better_goes(walk):
    begin_with_errors(walk)
    first = {name: value.clone() for name, value in walk.network.state_dict().items()}
    change(walk.network, 3.0)
    assert "is noise" in keep_what_shows(walk, first, HORIZON)
    assert all(value.equal(first[name]) for name, value in walk.network.state_dict().items())


def test_what_the_validation_part_shows_stays():
    """A series that climbs by ten steps' noise each row: the shift it takes is a gain everywhere."""
    task = build(10.0 * np.arange(ROWS) + np.random.default_rng(2).normal(size=ROWS))
    first = {name: value.clone() for name, value in task.network.state_dict().items()}
    change(task.network, 1.0)
    assert keep_what_shows(task, first, HORIZON) is None
    assert not task.network.head.state.bias.equal(first["head.state.bias"])


def test_stretches_are_one_horizon_of_origins(walk):
    """A hundred and one origins, of which the last has no target: stretches of four; their mean is nearly the loss."""
    blocks = walk.validation_blocks(HORIZON)
    assert len(blocks) == -(-100 // HORIZON)
    assert float(blocks.mean()) == pytest.approx(walk.validation_loss(), rel=0.05)


def test_without_rows_to_validate_on_there_is_nothing_to_show():
    task = build(np.random.default_rng(2).normal(size=60).cumsum())
    assert task.validates
    task.cuts = task.stops
    task._validation = task._validation_rows()
    assert not task.validates
    assert len(task.validation_blocks(HORIZON)) == 0
    assert keep_what_shows(task, task.network.state_dict(), HORIZON) is None


def test_gains_by_hand():
    assert mean_gain(np.array([1.0, 2.0, 3.0])) == (2.0, pytest.approx(1 / math.sqrt(3)))
    assert mean_gain(np.array([1.0, 2.0])) == (1.5, 0.0)
    assert mean_gain(np.zeros(0)) == (0.0, 0.0)
