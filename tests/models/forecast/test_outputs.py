"""Outputs: a fresh one says what the rule says, losses are the likelihoods, missing targets count nothing."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from recurra.models.forecast import RulePath, build_output
from recurra.models.forecast.outputs import FIRST_SPREAD

NAMES = ("quantiles", "normal", "student_t", "log_normal", "negative_binomial", "mixture")
LEVELS = (0.1, 0.5, 0.9)
AHEAD = torch.tensor([[40.0, 50.0, 60.0], [7.0, 8.0, 9.0]], dtype=torch.float64)
PATH = RulePath(AHEAD, torch.tensor([[10.0], [3.0]]).double(), torch.tensor([[30.0], [5.0]]).double())
UNIT = torch.tensor([[4.0], [2.0]]).double()
MEANS = ("negative_binomial",)


def build(name):
    output = build_output(name, LEVELS, 3, 3 if name == "mixture" else 0).double()
    return output, torch.tensor(output.start, dtype=torch.float64).expand(2, 3, -1).clone().requires_grad_()


@pytest.mark.parametrize("name", NAMES)
def test_a_fresh_output_is_the_rule_with_an_error_of_its_own(name):
    """Its middle (a count's mean) is the rule's forecast; its mean absolute error is about the rule's step."""
    output, raw = build(name)
    said = output.distribution(raw.detach(), PATH)
    middle = said.mean if name in MEANS else said.quantile((0.5,))[..., 0]
    np.testing.assert_allclose(middle, AHEAD, rtol=1e-3)
    wide = said.quantile(LEVELS)
    z = stats.norm.ppf(0.9) * FIRST_SPREAD
    spread = (wide[..., 2] - wide[..., 0]) / 2 / PATH.step
    assert (spread > 0.6 * z).all()
    assert (spread < 1.4 * z).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [0.0, 30.0])
def test_quantiles_never_cross_and_every_loss_has_gradients(name, size):
    output, raw = build(name)
    with torch.no_grad():
        raw += size * torch.randn(raw.shape, generator=torch.Generator().manual_seed(0)).double()
    quantiles = output.distribution(raw.detach(), PATH).quantile(tuple(np.linspace(0.02, 0.98, 25)))
    assert (quantiles.diff(dim=-1) >= 0).all()
    assert quantiles.isfinite().all()
    y = torch.tensor([[40.0, math.nan, 64.0], [1.0, 9.0, math.nan]]).double()
    loss = output.loss(raw, y, PATH, UNIT)
    assert (loss[y.isnan()] == 0).all()
    assert loss.isfinite().all()
    (gradient,) = torch.autograd.grad(loss.sum(), raw)
    assert gradient.isfinite().all()
    assert not gradient[y.isnan()].any()
    assert gradient[~y.isnan()].any()


@pytest.mark.parametrize("levels", [(0.5,), (0.2,), LEVELS], ids=str)
def test_the_quantile_loss_is_twice_the_mean_pinball_loss_in_the_series_unit(levels):
    """By the definition: max(l (y - q), (l - 1) (y - q)) at each level l, for q of the distribution itself."""
    output = build_output("quantiles", levels, 3, 0).double()
    raw = torch.randn(2, 3, len(levels), generator=torch.Generator().manual_seed(1)).double()
    y = AHEAD + torch.tensor([-3.0, 0.5, 8.0]).double()
    error = y[..., None] - output.distribution(raw, PATH).quantile(levels)
    level = torch.tensor(levels, dtype=torch.float64)
    expected = 2.0 * torch.maximum(level * error, (level - 1.0) * error).mean(-1) / UNIT
    np.testing.assert_allclose(output.loss(raw, y, PATH, UNIT), expected, rtol=1e-12)


def test_the_normal_loss_is_scipys_likelihood_in_the_series_unit():
    output, raw = build("normal")
    y = AHEAD + 2.0
    expected = -stats.norm(AHEAD, PATH.step * FIRST_SPREAD).logpdf(y) - np.log(UNIT.numpy())
    np.testing.assert_allclose(output.loss(raw, y, PATH, UNIT).detach(), expected, rtol=1e-9)


def test_the_log_normal_loss_is_scipys():
    output, raw = build("log_normal")
    y, share = AHEAD + 2.0, PATH.step / AHEAD
    theirs = stats.lognorm(share * FIRST_SPREAD, scale=AHEAD)
    np.testing.assert_allclose(
        output.loss(raw, y, PATH, UNIT).detach(), -theirs.logpdf(y) - np.log(UNIT.numpy()), rtol=1e-9
    )


def test_rules_below_zero_are_lifted_where_values_must_be_positive():
    path = RulePath(-AHEAD, PATH.step, PATH.scale)
    for name in ("log_normal", "negative_binomial"):
        output, raw = build(name)
        said = output.distribution(raw.detach(), path)
        assert (said.quantile(LEVELS) >= 0).all()
        assert said.mean.isfinite().all()
