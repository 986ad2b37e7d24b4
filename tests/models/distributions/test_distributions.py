"""Every distribution against scipy or numerical integration: density, distribution function, quantiles, CRPS."""

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats

from recurra.errors import ConfigError
from recurra.models.distributions import Normal, NormalMixture, StudentT, incomplete_beta

VALUES = torch.tensor([-7.0, -1.0, 0.2, 0.3, 1.9, 12.0], dtype=torch.float64)
MEAN, STD = torch.tensor(0.3, dtype=torch.float64), torch.tensor(1.7, dtype=torch.float64)


def t(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


class Mixed(stats.rv_continuous):
    """0.7 N(-0.2, 0.8²) + 0.3 N(0.5, 2²), moved to mean 0.3 and standard deviation 1.7."""

    def _cdf(self, x):
        centre = 0.7 * -0.2 + 0.3 * 0.5
        std = np.sqrt(0.7 * (0.64 + (-0.2 - centre) ** 2) + 0.3 * (4 + (0.5 - centre) ** 2))
        z = (x - 0.3) / 1.7 * std + centre
        return 0.7 * stats.norm.cdf(z, -0.2, 0.8) + 0.3 * stats.norm.cdf(z, 0.5, 2.0)


def student(df: float) -> object:
    return stats.t(df, loc=0.3, scale=1.7 * np.sqrt((df - 2) / df))


CASES = {
    "normal": (Normal(MEAN, STD), stats.norm(0.3, 1.7)),
    "t3": (StudentT(MEAN, STD, t(3.0).squeeze()), student(3.0)),
    "t4.5": (StudentT(MEAN, STD, t(4.5).squeeze()), student(4.5)),
    "t200": (StudentT(MEAN, STD, t(200.0).squeeze()), student(200.0)),
    "mixture": (
        NormalMixture(MEAN, STD, t(0.7, 0.3).log(), t(-0.2, 0.5), t(0.8, 2.0)),
        Mixed(),
    ),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_the_distribution_function_is_scipys(case):
    ours, theirs = case
    np.testing.assert_allclose(ours.cdf(VALUES), theirs.cdf(VALUES.numpy()), rtol=1e-9, atol=1e-14)


def test_the_density_is_its_derivative(case):
    ours, _ = case
    step = 1e-5
    slope = (ours.cdf(VALUES + step) - ours.cdf(VALUES - step)) / (2 * step)
    np.testing.assert_allclose(ours.log_prob(VALUES).exp(), slope, rtol=1e-5, atol=1e-9)


def test_quantiles_undo_the_distribution_function(case):
    ours, theirs = case
    levels = (0.001, 0.05, 0.5, 0.8, 0.999)
    np.testing.assert_allclose(ours.cdf(ours.quantile(levels)), levels, rtol=1e-9)
    np.testing.assert_allclose(ours.quantile(levels), theirs.ppf(levels), rtol=1e-5, atol=1e-7)
    with pytest.raises(ConfigError, match="strictly between 0 and 1"):
        ours.quantile((0.0,))


def test_mean_and_variance_are_those_asked_for(case):
    """By integrating x and x² against the density."""
    ours, _ = case
    x = torch.linspace(-400, 400, 400_001, dtype=torch.float64)
    p = ours.log_prob(x).exp()
    assert float(torch.trapezoid(p * x, x)) == pytest.approx(0.3, abs=1e-4)
    assert float(torch.trapezoid(p * (x - 0.3) ** 2, x)) == pytest.approx(1.7**2, rel=2e-2)  # t3 has a heavy tail


def test_crps_is_its_integral(case):
    """∫ (F(x) - 1[x >= y])² dx; Gneiting & Raftery 2007, equation 20."""
    ours, theirs = case
    for y in (-1.0, 0.2, 1.9):
        below = integrate.quad(lambda x: theirs.cdf(x) ** 2, -np.inf, y)[0]
        above = integrate.quad(lambda x: (1 - theirs.cdf(x)) ** 2, y, np.inf)[0]
        assert float(ours.crps(torch.tensor(y, dtype=torch.float64))) == pytest.approx(below + above, rel=1e-6)


def test_incomplete_beta_is_scipys(rng):
    a, b, x = rng.uniform(0.5, 60, 300), rng.uniform(0.5, 60, 300), rng.random(300)
    x[:2] = 0.0, 1.0
    np.testing.assert_allclose(
        incomplete_beta(*(torch.from_numpy(v) for v in (a, b, x))), special.betainc(a, b, x), rtol=1e-10, atol=1e-14
    )


def test_parameters_have_gradients():
    df = torch.tensor(5.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: StudentT(MEAN, STD, v).log_prob(VALUES).sum(), df)
    parts = tuple(v.requires_grad_() for v in (t(0.1, -0.4), t(-0.2, 0.5), t(0.8, 2.0)))
    assert torch.autograd.gradcheck(lambda *p: NormalMixture(MEAN, STD, *p).log_prob(VALUES).sum(), parts)


@pytest.mark.parametrize("name", CASES)
def test_a_draw_is_the_quantile_at_its_own_level(name):
    _, theirs = CASES[name]
    levels = (0.003, 0.2, 0.5, 0.97)
    wide = {
        "normal": Normal(MEAN.expand(4), STD.expand(4)),
        "mixture": NormalMixture(MEAN.expand(4), STD.expand(4), t(0.7, 0.3).log(), t(-0.2, 0.5), t(0.8, 2.0)),
    }
    each = wide.get(name) or StudentT(MEAN.expand(4), STD.expand(4), t(float(name[1:])))
    np.testing.assert_allclose(each.quantile_at(t(*levels)), theirs.ppf(levels), rtol=1e-5, atol=1e-7)
    several = StudentT(MEAN.expand(4), STD, t(3.0, 9.0, 3.0, 5.0))
    expected = [student(df).ppf(level) for df, level in zip((3, 9, 3, 5), levels, strict=True)]
    np.testing.assert_allclose(several.quantile_at(t(*levels)), expected, rtol=1e-6)
