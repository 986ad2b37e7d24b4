"""The forecasting task: windows that are a pure function of seed and epoch, and a loss that can be done by hand."""

import numpy as np
import pytest
import torch

from recurra.data import SeriesTable, WindowIndex
from recurra.data.preparation import Preparation, PreparationSpec
from recurra.models.forecast import ForecastNetwork, ForecastShape
from recurra.training.forecast import ForecastTask, WindowPlan, mean_steps

LEVELS = (0.1, 0.5, 0.9)


def build(y=None, horizon=2, cut=30, **plan):
    """One series of 40 rows; the last ten are validated on; a fresh network, which says what the naive rule does."""
    rng = np.random.default_rng(1)
    y = np.cumsum(rng.normal(size=40)) if y is None else y
    table = SeriesTable.from_table({"unique_id": ["a"] * len(y), "ds": list(range(len(y))), "y": y.tolist()})
    spec = PreparationSpec(horizon=horizon, season=1, reference="naive", scaling="running", frequency="1", memory=8)
    training = table.truncate([cut])
    preparation = Preparation.fit(training, spec)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = ForecastNetwork(ForecastShape(preparation.n_inputs, 0, horizon, LEVELS, "gru", 4)).double()
    settings = {"context": 8, "batch_size": 4, "warmup": 8, "seed": 3, **plan}
    windows = WindowIndex(training, settings["context"], 1, horizon)
    return ForecastTask(network, preparation.rows(table), np.array([cut]), windows, WindowPlan(**settings)), y


def arrays(batch):
    return [batch.rows, batch.lengths, batch.warm_rows, batch.warm_lengths, batch.scored]


def test_batches_depend_on_seed_and_epoch_only():
    one, other = build()[0], build()[0]
    for a, b in zip(one.batches(1), other.batches(1), strict=True):
        for x, y in zip(arrays(a), arrays(b), strict=True):
            np.testing.assert_array_equal(x, y)
    list(one.batches(5))
    assert [b.rows.tolist() for b in one.batches(1)] == [b.rows.tolist() for b in other.batches(1)]
    assert [b.rows.tolist() for b in one.batches(1)] != [b.rows.tolist() for b in one.batches(2)]
    assert [b.rows.tolist() for b in one.batches(1)] != [b.rows.tolist() for b in build(seed=4)[0].batches(1)]


def test_windows_stay_within_the_training_rows_and_warm_up_on_the_rows_right_before():
    task, _ = build()
    for batch in task.batches(1):
        assert batch.rows.max() < 30
        for rows, warm, n in zip(batch.rows, batch.warm_rows, batch.warm_lengths, strict=True):
            assert warm[:n].tolist() == list(range(rows[0] - n, rows[0]))


def test_no_value_after_the_cut_reaches_the_training_loss():
    """The whole validation part is replaced: every batch's loss stays the same to the bit."""
    task, y = build()
    spoilt, _ = build(np.concatenate([y[:30], np.full(10, 1e6)]))
    for a, b in zip(task.batches(1), spoilt.batches(1), strict=True):
        assert task.loss(a).item() == spoilt.loss(b).item()
    with torch.no_grad():
        assert task.validation_loss() != spoilt.validation_loss()


def test_the_validation_loss_by_hand():
    """A fresh network's quantiles are the last value and a normal spread of the rule's own error around it.

    Loss: twice the mean pinball loss over every origin from the last training row on, step and level, in units of the
    mean absolute change of the training rows; targets beyond the table take no part.
    """
    task, y = build()
    prepared, spread = task.prepared, (np.pi / 2) ** 0.5 * 1.2815515655446004
    losses = []
    for row in range(29, 39):
        for step in (1, 2):
            if row + step < 40:
                for level, offset in zip(LEVELS, (-spread, 0.0, spread), strict=True):
                    error = y[row + step] - (y[row] + offset * prepared.step[row])
                    losses.append(max(level * error, (level - 1) * error))
    unit = np.abs(np.diff(y[:30])).mean()
    task.network.eval()
    with torch.no_grad():
        assert task.validation_loss() == pytest.approx(2 * np.mean(losses) / unit, rel=1e-5)


def test_a_warmed_state_is_the_state_after_those_rows():
    task, _ = build()
    batch = next(b for b in task.batches(1) if b.warm_lengths.any())
    state = task._warm_state(batch)
    for i, n in enumerate(batch.warm_lengths):
        rows = batch.warm_rows[i, :n]
        alone = task.network.states(task.inputs[rows][None])[1] if n else torch.zeros(1, 1, 4).double()
        torch.testing.assert_close(state[:, i : i + 1], alone, rtol=1e-12, atol=1e-12)
    assert not state.requires_grad


def test_missing_targets_take_no_part():
    rng = np.random.default_rng(2)
    y = np.cumsum(rng.normal(size=40))
    full, _ = build(y, horizon=1)
    rows = np.arange(3, 29)
    holes = rows[::5] + 1
    h = torch.zeros(len(rows), 4, dtype=torch.float64)
    kept = ~np.isin(rows + 1, holes)
    expected = full._loss_at(h[kept], rows[kept], full.cuts)
    object.__setattr__(full.prepared, "y", np.where(np.isin(np.arange(40), holes), np.nan, y))
    torch.testing.assert_close(full._loss_at(h, rows, full.cuts), expected)


def test_the_unit_of_the_loss_is_the_mean_change_of_the_training_rows():
    task, y = build()
    assert mean_steps(task.prepared, np.array([30])) == pytest.approx(np.abs(np.diff(y[:30])).mean())
    constant, _ = build(np.full(40, 3.0))
    assert mean_steps(constant.prepared, np.array([30])).tolist() == [1.0]


def test_long_windows_are_scored_at_a_random_part_of_their_steps():
    task, _ = build(origins=3)
    for batch in task.batches(1):
        assert len(batch.scored) == 3
        assert (np.diff(batch.scored) > 0).all()


def test_the_rule_says_the_same_whether_its_forecasts_are_kept_or_not(monkeypatch):
    kept, _ = build()
    monkeypatch.setattr("recurra.training.forecast.VALUES_KEPT", 0)
    fresh, _ = build()
    assert kept._ahead is not None
    assert fresh._ahead is None
    rows = np.arange(len(kept.prepared.y))
    np.testing.assert_allclose(kept._ahead, fresh.prepared.ahead(rows), rtol=1e-13)
    batch = next(kept.batches(0))
    fresh.network.load_state_dict(kept.network.state_dict())
    assert fresh.loss(batch).item() == pytest.approx(kept.loss(batch).item(), rel=1e-6)
