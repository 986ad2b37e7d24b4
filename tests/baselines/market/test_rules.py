"""The rules on made returns: recursions by hand, no look ahead, and the anchors on the S&P 500."""

import os

import numpy as np
import pytest

from recurra.baselines.market import Ewma, Garch, Har, LogHar, RandomWalk, Yesterday, market_rules
from recurra.data.catalogue import ENVIRONMENT, load_sp500
from recurra.data.market import Asset, squared_return
from recurra.errors import TooShortError
from recurra.metrics import gaussian_nll, qlike


def made(n: int = 600, seed: int = 0) -> Asset:
    """Days whose log variance follows an autoregression, and returns drawn from it; with a covariate and two holes."""
    random = np.random.default_rng(seed)
    log_variance = np.zeros(n)
    for t in range(1, n):
        log_variance[t] = 0.95 * log_variance[t - 1] + random.normal(0, 0.3)
    variance = np.exp(log_variance)
    returns = np.sqrt(1.3 * variance) * random.standard_normal(n)
    returns[50], variance[60] = np.nan, np.nan
    days = np.busday_offset(np.datetime64("2010-01-04"), np.arange(n)).astype("datetime64[us]")
    return Asset("made", days, returns, variance, np.full(n, np.nan), {"vix": log_variance + random.normal(0, 0.1, n)})


@pytest.fixture(scope="module")
def asset() -> Asset:
    return made()


@pytest.mark.parametrize("rule", market_rules((1, 5), ("vix",)), ids=lambda rule: rule.name)
def test_no_rule_looks_ahead(rule, asset):
    """Fitted on 400 rows, the forecasts at each row are those made from the rows up to it, whatever comes later."""
    rule.fit(asset.head(400))
    spoilt = made(seed=1)
    for name in ("returns", "variance"):
        getattr(spoilt, name)[:451] = getattr(asset, name)[:451]
    spoilt.covariates["vix"][:451] = asset.covariates["vix"][:451]
    for days in (1, 5):
        whole = rule.variance(asset, days)
        np.testing.assert_array_equal(rule.variance(spoilt, days)[:451], whole[:451])
        np.testing.assert_allclose(
            rule.return_variance(asset.head(451), days)[-1], rule.return_variance(asset, days)[450]
        )
        assert np.all(whole[30:] > 0)


def test_each_rule_has_the_right_level_in_both_units(asset):
    """On the rows it was fitted on, mean squared return and mean forecast agree, by construction."""
    for rule in market_rules((1,), ("vix",)):
        rule.fit(asset)
        ahead = np.append(asset.returns[1:], np.nan) ** 2
        known = ~np.isnan(ahead) & ~np.isnan(rule.signal(asset, 1))
        assert rule.return_variance(asset, 1)[known].mean() == pytest.approx(ahead[known].mean(), rel=1e-9), rule.name


def test_ewma_is_its_recursion():
    asset = made(100)
    rule = Ewma().fit(asset)
    h = np.nanmean(asset.returns[:22] ** 2)
    for r in asset.returns:
        h = h if np.isnan(r) else 0.94 * h + 0.06 * r**2
    assert rule.signal(asset, 1)[-1] == pytest.approx(h)


@pytest.mark.parametrize("asymmetric", [False, True])
def test_garch_is_the_packages_own_and_later_days_return_to_the_level(asymmetric, asset):
    from arch import arch_model

    clean = asset.part(61, len(asset))
    rule = Garch((1, 5), asymmetric=asymmetric).fit(clean)
    theirs = arch_model(clean.returns, mean="Constant", vol="GARCH", p=1, o=int(asymmetric), q=1, rescale=False)
    forecast = theirs.fit(disp="off", show_warning=False).forecast(horizon=5).variance.to_numpy()[-1]
    # the recursions begin at different values, which the 539 days make nothing of
    assert rule.signal(clean, 1)[-1] == pytest.approx(forecast[0], rel=1e-6)
    assert rule.signal(clean, 5)[-1] == pytest.approx(forecast.mean(), rel=1e-6)


def test_log_har_finds_the_autoregression(asset):
    rule = LogHar().fit(asset)
    assert rule.coefficients[1][1:].sum() == pytest.approx(0.95, abs=0.03)
    assert rule.spread[1] == pytest.approx(0.3, abs=0.05)
    again = LogHar.from_config(rule.to_config())
    np.testing.assert_array_equal(again.return_variance(asset, 1), rule.return_variance(asset, 1))


def test_log_har_keeps_the_level_of_squared_returns():
    """GARCH days of which only the close is known: ln r² is far from normal, and exp(s² / 2) is 2.8 times too high."""
    random = np.random.default_rng(0)
    h, returns = 1.0, np.empty(1000)
    for t in range(1000):
        returns[t] = np.sqrt(h) * random.standard_normal()
        h = 0.05 + 0.08 * returns[t] ** 2 + 0.87 * h
    days = np.busday_offset(np.datetime64("2015-01-05"), np.arange(1000)).astype("datetime64[us]")
    asset = Asset("close only", days, returns, squared_return(returns), np.full(1000, np.nan), {})
    constant = RandomWalk().fit(asset).variance(asset, 1)[30:-1]
    for rule in (LogHar(), LogHar(leverage=True)):
        forecast, came = rule.fit(asset).variance(asset, 1)[30:-1], asset.variance[31:]
        assert forecast.mean() == pytest.approx(came.mean(), rel=0.1)
        assert qlike(came, forecast).mean() < qlike(came, constant).mean() + 0.01


def test_too_few_days_are_refused(asset):
    with pytest.raises(TooShortError, match="at least 60"):
        RandomWalk().fit(asset.head(40))


needs_data = pytest.mark.skipif(not os.environ.get(ENVIRONMENT), reason=f"{ENVIRONMENT} is not set")


@needs_data
@pytest.mark.parametrize(
    ("rule", "expected", "likelihood"),
    [
        (Yesterday(), 0.334, None),
        (Har(), 0.280, None),
        (LogHar(), 0.251, 1.172),
        (LogHar(leverage=True, covariates=True), 0.218, 1.154),
        (Ewma(), None, 1.236),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_the_anchors_are_reproduced(rule, expected, likelihood):
    """reference figures computed for the project: S&P 500, 2010-01-04 to 2018-04-30, fitted on all days before each.

    Fitted here every 22 days; likelihoods differ by up to 0.002 with the mean and the scale of the returns.
    """
    asset = load_sp500().assets[0]
    first, n = int(np.searchsorted(asset.ds, np.datetime64("2010-01-04"))), len(asset)
    variance, returns, mean = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    for begin in range(first, n, 22):
        rule.fit(asset.head(begin))
        end = min(begin + 22, n)
        for target, values in ((variance, rule.variance), (returns, rule.return_variance)):
            target[begin:end] = values(asset.head(end), 1)[begin - 1 : end - 1]
        mean[begin:end] = rule.mean_return
    assert n - first == 2095
    if expected is not None:
        assert qlike(asset.variance[first:], variance[first:]).mean() == pytest.approx(expected, abs=1e-3)
    if likelihood is not None:
        found = gaussian_nll(asset.returns[first:], mean[first:], returns[first:]).mean()
        assert found == pytest.approx(likelihood, abs=2e-3)
