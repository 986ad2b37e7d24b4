"""Quantiles that never cross, and a fresh head that says what the naive rule says."""

from statistics import NormalDist

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recurra.models.forecast import DirectHead, ordered_quantiles
from recurra.models.forecast.heads import middle_level, normal_spreads

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@given(raw=hnp.arrays("float64", (4, 5), elements=st.floats(-50, 50)), middle=st.integers(0, 4))
def test_quantiles_never_cross_and_the_middle_one_is_free(raw, middle):
    quantiles = ordered_quantiles(torch.from_numpy(raw), middle)
    assert (quantiles.diff(dim=-1) > 0).all()
    assert torch.equal(quantiles[:, middle], torch.from_numpy(raw)[:, middle])


def test_ordered_quantiles_by_hand():
    """softplus(0) = ln 2, and the smallest spread is 1e-4."""
    spread = 0.6931471805599453 + 1e-4
    quantiles = ordered_quantiles(torch.tensor([0.0, 5.0, 0.0, 0.0], dtype=torch.float64), 1)
    assert quantiles.tolist() == pytest.approx([5 - spread, 5.0, 5 + spread, 5 + 2 * spread])


def test_fresh_spreads_are_those_of_a_normal_distribution():
    raw = torch.tensor(normal_spreads(LEVELS), dtype=torch.float64)
    quantiles = ordered_quantiles(raw, middle_level(LEVELS))
    sigma = (torch.pi / 2) ** 0.5  # its mean absolute value is 1
    assert quantiles.tolist() == pytest.approx([sigma * NormalDist().inv_cdf(level) for level in LEVELS], abs=1e-6)


@pytest.mark.parametrize("n_future", [0, 3])
def test_a_fresh_head_forecasts_what_the_naive_rule_does(n_future):
    head = DirectHead(6, n_future, 4, normal_spreads(LEVELS)).double()
    h = torch.randn(7, 6, dtype=torch.float64)
    future = torch.randn(7, 4, n_future, dtype=torch.float64) if n_future else None
    assert head(h, future).shape == (7, 4, 5)
    assert not head(h, future)[..., 2].any()


def test_only_its_own_step_of_the_future_reaches_a_forecast():
    head = DirectHead(3, 2, 4, normal_spreads(LEVELS)).double()
    torch.nn.init.normal_(head.mix.weight)
    h = torch.randn(1, 3, dtype=torch.float64)
    future = torch.randn(1, 4, 2, dtype=torch.float64)
    changed = future.clone()
    changed[:, 2] += 1.0
    moved = (head(h, future) != head(h, changed)).any(-1)[0]
    assert moved.tolist() == [False, False, True, False]
