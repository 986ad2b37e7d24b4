"""The market task: windows cover every day, nothing beyond a cut is learned from, masked days count for nothing."""

import numpy as np
import pytest
import torch

from recurra.models.market import MarketNetwork, MarketShape, PathTensors
from recurra.training.market import WARM, LossWeights, MarketDays, MarketTask


def made_days(n: int, cut: int, seed: int = 0) -> MarketDays:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 3, generator=generator)
    level = torch.randn(n, 1, generator=generator)
    ones = torch.ones_like(level)
    came, returns = torch.randn(n, 1, generator=generator), torch.randn(n, 1, generator=generator)
    return MarketDays(x, PathTensors(level, ones, 0.5 * ones, 0 * ones, ones), came, returns, cut)


def made_task(*assets: MarketDays) -> MarketTask:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = MarketNetwork(MarketShape(3, (1,), hidden_size=2))
    return MarketTask(network, assets, LossWeights(), context=16, batch_size=4, seed=1)


def test_every_day_before_the_cut_is_scored_once_an_epoch():
    task = made_task(made_days(120, 100), made_days(80, 80))
    for epoch in (1, 2):
        scored = []
        for rows, lengths in task.batches(epoch):
            inside = np.arange(rows.shape[1]) < lengths[:, None]
            inside[:, :WARM] = False
            scored += rows[inside].tolist()
        assert len(set(scored)) == len(scored)
        assert set(range(WARM, 100)) >= {row for row in scored if row < 120}
        assert set(range(WARM, 100)) - set(scored) <= set(range(WARM, WARM + 16))  # the first window may be short


def test_rows_after_the_cut_change_no_training_loss():
    first = made_days(120, 100)
    spoilt = made_days(120, 100)
    spoilt.x[100:], spoilt.log_variance[99:], spoilt.returns[99:] = 9.0, 9.0, 9.0  # row 99 is forecast into row 100
    losses = []
    for days in (first, spoilt):
        task = made_task(days)
        torch.nn.init.constant_(task.network.inputs.weight, 0.3)
        torch.nn.init.constant_(task.network.state.weight, 0.3)
        task.network.eval()
        losses.append([float(task.loss(batch).detach()) for batch in task.batches(1)])
    assert losses[0] == losses[1]
    assert made_task(first).validation_loss() != made_task(spoilt).validation_loss()


def test_a_masked_target_is_left_out():
    days = made_days(60, 60)
    days.log_variance[30], days.returns[31] = float("nan"), float("nan")
    task = made_task(days)
    loss = task.loss(next(iter(task.batches(1))))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in task.network.parameters() if p.grad is not None)
    assert np.isfinite(task.validation_loss())


def test_the_loss_is_its_definition():
    """One asset, a fresh network: the three parts computed here from the path."""
    days = made_days(60, 60)
    task = made_task(days)
    task.network.eval()
    rows = np.arange(WARM, 59)  # row 59 has no target before the cut
    p, y, r = (value[rows, 0].double() for value in (days.path.log_variance, days.log_variance, days.returns))
    variance = (p + 0.5).exp()
    normal = -torch.distributions.Normal(p, 1.0).log_prob(y).mean()
    d = y - variance.log()
    t = torch.distributions.StudentT(8.0, 0.0, (variance * 6.0 / 8.0).sqrt())
    expected = 0.5 * normal + 0.5 * (d.exp() - d - 1).mean() - 0.3 * t.log_prob(r).mean()
    assert task.validation_loss() == pytest.approx(float(expected), rel=1e-4)
