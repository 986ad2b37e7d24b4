"""A trained market network as an answering object: distributions of the next returns after any day of a table."""

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from recurra.baselines.market import LogHar
from recurra.data.market import LOOKBACK, Asset, MarketTable, market_inputs, return_ahead
from recurra.errors import TableError
from recurra.models.distributions import ScaledDistribution
from recurra.models.forecast import State
from recurra.models.market import MarketNetwork, MarketOutput, MarketShape, PathTensors
from recurra.shapes import Tensor

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
CLIP = 5.0
"""Scaled inputs are cut off at this many standard deviations of the rows that the scale was learned on."""


@dataclass(frozen=True)
class AssetScale:
    """What was learned about one asset.

    Args:
        rule: the log-HAR path.
        centre, spread: level and spread of the inputs, [inputs] each.
        return_scale: variance of the sum of the next returns over the expected mean variance, [horizons].
    """

    rule: LogHar
    centre: Array
    spread: Array
    return_scale: Array

    @classmethod
    def fit(cls, asset: Asset, horizons: Sequence[int]) -> "AssetScale":
        """Learn from these rows, and from no other."""
        rule = LogHar(horizons, leverage=True, covariates=bool(asset.covariates)).fit(asset)
        inputs = market_inputs(asset)[LOOKBACK:]
        inputs = inputs[~np.isnan(inputs).any(axis=1)]
        return cls(rule, inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-6), _path_scale(rule))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "AssetScale":
        """What `to_config` described; older folders have no scale of the returns but the path's."""
        rule = LogHar.from_config(config["rule"])
        scale = config.get("return_scale", _path_scale(rule))
        return cls(rule, np.array(config["centre"]), np.array(config["spread"]), np.array(scale))

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""
        return {
            "rule": self.rule.to_config(),
            "centre": self.centre.tolist(),
            "spread": self.spread.tolist(),
            "return_scale": self.return_scale.tolist(),
        }

    def rescaled(self, asset: Asset, forecast: "MarketForecast") -> "AssetScale":
        """The same with the returns' scale that suits a trained network: mean (R - E R)² is mean Var R.

        Training moves the variance away from the path's, and the returns' scale must follow.

        Args:
            asset: the rows that were learned from, and no other.
            forecast: made after each of them by the network with this scale.
        """
        came = np.stack([return_ahead(asset.returns, days) for days in forecast.horizons], axis=1)
        mean, variance = forecast.returns.mean.numpy(), forecast.returns.variance.numpy()
        squares = (came[LOOKBACK:] - mean[LOOKBACK:]) ** 2
        expected = np.where(np.isnan(squares), np.nan, variance[LOOKBACK:])
        return replace(self, return_scale=self.return_scale * np.nansum(squares, axis=0) / np.nansum(expected, axis=0))

    def inputs(self, asset: Asset) -> Array:
        """Scaled inputs at every row, [rows, inputs]; 0 where nothing is known yet."""
        scaled = (market_inputs(asset) - self.centre) / self.spread
        return np.asarray(np.clip(np.nan_to_num(scaled), -CLIP, CLIP))

    def path(self, asset: Asset) -> PathTensors:
        """The log-HAR path at every row, float64, each [rows, horizons]."""
        rule, days = self.rule, self.rule.horizons
        level = np.stack([rule.path(asset, k) for k in days], axis=1)
        typical = np.array([float(rule.coefficients[k][0]) for k in days])
        ones = np.ones_like(level)
        return PathTensors(
            torch.from_numpy(np.where(np.isnan(level), typical, level)),
            torch.from_numpy(ones * [rule.spread[k] for k in days]),
            torch.from_numpy(ones * [rule.smearing[k] for k in days]),
            torch.from_numpy(ones * [k * rule.mean_return for k in days]),
            torch.from_numpy(ones * self.return_scale),
        )


def _path_scale(rule: LogHar) -> Array:
    """Variance of the sum of the next returns over the path's mean variance, [horizons]."""
    return np.array([days * rule.scales[days][1] for days in rule.horizons])


@dataclass(frozen=True)
class MarketForecast:
    """Forecasts made after some days of one asset, each from its own past.

    Args:
        asset: its name.
        rows: row of the asset that each was made after, [n].
        horizons: days ahead, [h].
        log_mean, log_std: of the logarithm of the mean variance of the next days, [n, h].
        variance: expected mean daily variance, in percent squared, as the table measures it, [n, h].
        returns: distribution of the sum of the next returns, in percent, [n, h].
    """

    asset: str | int
    rows: Rows
    horizons: tuple[int, ...]
    log_mean: Array
    log_std: Array
    variance: Array
    returns: ScaledDistribution

    @property
    def probability_up(self) -> Array:
        """Probability that the sum of the next returns is above 0, [n, h]."""
        return np.asarray(1.0 - self.returns.cdf(torch.zeros_like(self.returns.mean)).numpy())

    def quantiles(self, levels: Sequence[float]) -> Array:
        """Quantiles of the sum of the next returns, in percent, [n, h, levels]."""
        return np.asarray(self.returns.quantile(levels).numpy())


class MarketPredictor:
    """Answers with distributions; the recurrence runs from each asset's first row, as a stream does, in float64.

    Args:
        scales: what was learned about each asset, by name.
        network: the trained network; a float64 copy is made.
    """

    def __init__(self, scales: Mapping[str | int, AssetScale], network: MarketNetwork) -> None:
        self.scales = dict(scales)
        self.network = copy.deepcopy(network).to(device="cpu", dtype=torch.float64).eval()
        self.shape: MarketShape = network.shape

    @property
    def fingerprint(self) -> str:
        """SHA-256 over configuration and weights: two predictors with one fingerprint answer alike."""
        digest = hashlib.sha256(json.dumps(self.to_config(), sort_keys=True).encode())
        for name, tensor in sorted(self.to_tensors().items()):
            digest.update(name.encode() + tensor.numpy().tobytes())
        return digest.hexdigest()

    def scale_of(self, name: str | int) -> AssetScale:
        """What was learned about an asset.

        Raises:
            TableError: if it was not in the table of `fit`.
        """
        if name not in self.scales:
            some = ", ".join(map(repr, list(self.scales)[:5]))
            raise TableError(
                f"asset {name!r} was not there at fit (there were {some}); fit a model with it in the table"
            )
        return self.scales[name]

    def forecast(self, table: MarketTable) -> list[MarketForecast]:
        """One forecast for each asset, made after its last row."""
        return [self.hindcast(asset, len(asset) - 1) for asset in table.assets]

    @torch.inference_mode()
    def hindcast(self, asset: Asset, first: int) -> MarketForecast:
        """Forecasts after every row from row number `first` on, in one pass."""
        scale = self.scale_of(asset.id)
        x = torch.from_numpy(scale.inputs(asset))
        output, _ = self.network.states(x[None])
        path = scale.path(asset)
        part = PathTensors(*(value[first:] for value in vars(path).values()))
        answer = self.network.answer(output[0, first:], x[first:], part)
        return self.as_forecast(asset.id, answer, np.arange(first, len(asset)))

    def as_forecast(self, name: str | int, answer: MarketOutput, rows: Rows) -> MarketForecast:
        """The network's answer with what it belongs to."""
        log_variance = answer.log_variance
        return MarketForecast(
            asset=name,
            rows=rows,
            horizons=self.shape.horizons,
            log_mean=log_variance.mean.numpy(),
            log_std=log_variance.std.numpy(),
            variance=answer.variance.numpy(),
            returns=answer.returns,
        )

    @torch.inference_mode()
    def last_state(self, asset: Asset) -> State:
        """The recurrent state after the last row, [layers, 1, hidden]."""
        x = torch.from_numpy(self.scale_of(asset.id).inputs(asset))
        return self.network.states(x[None])[1]

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""
        assets = [{"id": name, **scale.to_config()} for name, scale in self.scales.items()]
        return {"network": asdict(self.shape), "assets": assets}

    def to_tensors(self) -> dict[str, Tensor]:
        """The weights, in the float32 they were trained in."""
        return {name: tensor.to(torch.float32) for name, tensor in self.network.state_dict().items()}

    @classmethod
    def from_saved(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "MarketPredictor":
        """The predictor whose configuration and weights were saved."""
        shape = MarketShape(**{**config["network"], "horizons": tuple(config["network"]["horizons"])})
        with torch.random.fork_rng(devices=[]):
            network = MarketNetwork(shape)
        network.load_state_dict(dict(tensors))
        return cls({each["id"]: AssetScale.from_config(each) for each in config["assets"]}, network)
