"""Batches of old and new windows, and the way back where the old rows got worse."""

import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import recurra
from recurra.data import SeriesTable
from recurra.data.windows import WindowIndex
from recurra.learners.fitting import window_plan
from recurra.training.continued import ContinuedTask, Retention


@pytest.fixture(scope="module")
def model() -> recurra.Forecaster:
    """Two series of 60 rows, windows of 6, 3 steps ahead."""
    y = np.sin(2 * np.pi * np.arange(60) / 7) + 0.1 * np.random.default_rng(0).normal(size=60)
    days = pd.date_range("2024-01-01", periods=60)
    table = pd.concat([pd.DataFrame({"unique_id": name, "ds": days, "y": y + k}) for k, name in enumerate("ab")])
    settings = {"horizon": 3, "hidden_size": 4, "context": 6, "max_epochs": 1, "season": 7, "residual": "seasonal"}
    fitted = recurra.Forecaster(**settings, quantiles=(0.1, 0.5, 0.9), keep="trained").fit(table)
    fitted.table = table
    return fitted


def task(model, old: int, **retention) -> ContinuedTask:
    table = model.table
    rows = SeriesTable.from_table(table)
    predictor = model._predictor
    plan = window_plan(predictor.preparation.spec, model._config, 6)
    windows = WindowIndex(rows, 6, 1, predictor.shape.horizon)
    network = copy.deepcopy(predictor.network).float()
    prepared = predictor.preparation.rows(rows)
    return ContinuedTask(network, prepared, windows, plan, np.full(rows.n_series, old), Retention(**retention))


def test_half_of_a_batch_is_replayed(model) -> None:
    # expected: by hand; 60 rows, windows of 6 with 3 steps ahead: new where start + 9 > 40, that is 22 of 54 a series
    work = task(model, 40)
    assert (len(work._new), len(work._old)) == (2 * 22, 2 * 32)
    batches = list(work.batches(1))
    starts = np.concatenate([batch.rows[:, 0] % 60 for batch in batches])
    assert sum(starts + 9 > 40) == len(work._new)
    for batch in batches:
        assert (batch.rows[:, 0] % 60 + 9 <= 40).sum() == 16
    assert work.n_batches == -(-len(work._new) // 16)


def test_weights_that_hurt_the_old_rows_go_back(model) -> None:
    work = task(model, 40)
    before = work.losses()
    anchor = [parameter.detach().clone() for parameter in work.network.parameters()]
    with torch.no_grad():
        for parameter in work.network.parameters():
            parameter.add_(50.0)
    kept = work.keep(before)
    assert kept.share < 1
    assert kept.old[1] <= 1.01 * kept.old[0]
    moved = [parameter.detach() - old for parameter, old in zip(work.network.parameters(), anchor, strict=True)]
    for difference in moved:
        torch.testing.assert_close(difference, torch.full_like(difference, 50.0 * kept.share), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("output", "allowed"), [("normal", 0.01), ("quantiles", 0.01 * 3.0)])
def test_a_loss_may_lie_below_zero(model, output, allowed, monkeypatch) -> None:
    # expected: by hand; a likelihood's loss may grow by 0.01 nats, wherever it stands; a quantile loss by a hundredth
    work = task(model, 40)
    start = -2.2 if output == "normal" else 3.0
    object.__setattr__(work.network, "shape", replace(work.network.shape, output=output))
    for grown, share in ((0.9 * allowed, 1.0), (1.1 * allowed, 0.0)):
        monkeypatch.setattr(work, "losses", lambda grown=grown: (start + grown, 0.0))
        kept = work.keep((start, 0.0))
        assert kept.share == share
        assert ("reason" in kept.told()) == (share == 0.0)


def test_the_pull_is_the_squared_distance(model) -> None:
    # expected: by hand; every weight moved by 0.1, 2 * 0.01 * number of weights in the loss
    work = task(model, 40, pull=2.0)
    none = task(model, 40, pull=0.0)
    batch = next(work.batches(1))
    for one in (work, none):
        one.network.eval()
        with torch.no_grad():
            for parameter in one.network.parameters():
                parameter.add_(0.1)
    n = sum(parameter.numel() for parameter in work.network.parameters())
    torch.testing.assert_close((work.loss(batch) - none.loss(batch)).item(), 2.0 * 0.01 * n, rtol=1e-3, atol=1e-3)
