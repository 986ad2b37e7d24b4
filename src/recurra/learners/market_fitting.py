"""From a market table and settings to a trained market network; the steps in their order."""

from dataclasses import dataclass, fields

import numpy as np
import torch

from recurra.data.market import Asset, MarketTable, input_names, return_ahead, variance_ahead
from recurra.errors import NonFiniteLossError, TooShortError
from recurra.learners.market_schema import MarketConfig
from recurra.models.market import MarketNetwork, MarketShape, PathTensors
from recurra.prediction.market import AssetScale, MarketPredictor
from recurra.training import History, Trainer, TrainingOptions, build_progress
from recurra.training.market import LossWeights, MarketDays, MarketTask

FEWEST = 100


@dataclass(frozen=True)
class FittedMarket:
    """The trained network with its path, the training run, and the error that ended it, if one did."""

    predictor: MarketPredictor
    history: History
    error: NonFiniteLossError | None = None


def fit_market(table: MarketTable, config: MarketConfig) -> FittedMarket:
    """Fit each asset's log-HAR path and input scales on its training days, then train one network over all assets.

    The scale of each asset's returns is fitted once more after training, on its training days.

    Raises:
        TooShortError: if an asset has too few days.
    """
    cuts = {asset.id: _cut(asset, config) for asset in table.assets}
    scales = {asset.id: learn_scale(asset, config) for asset in table.assets}
    days = [prepare_days(asset, scales[asset.id], config.horizons, cuts[asset.id]) for asset in table.assets]
    covariates = tuple(table.assets[0].covariates)
    shape = MarketShape(
        n_inputs=len(input_names(covariates)),
        horizons=config.horizons,
        distribution=config.distribution,
        cell=config.cell,
        hidden_size=config.hidden_size,
        num_layers=config.num_layers,
        dropout=config.dropout,
        components=config.components,
    )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.seed)
        network = MarketNetwork(shape, config.backend)
        task = MarketTask(network, days, LossWeights(), config.context, config.batch_size, config.seed)
        trainer = Trainer(network, task, _options(config), build_progress(config.progress))
        error = None
        try:
            trainer.run()
        except NonFiniteLossError as problem:
            error = problem
    trained = MarketPredictor(scales, network)
    known = [asset.head(cuts[asset.id]) for asset in table.assets]
    scales = {asset.id: scales[asset.id].rescaled(asset, trained.hindcast(asset, 0)) for asset in known}
    return FittedMarket(MarketPredictor(scales, network), trainer.history, error)


def prepare_days(asset: Asset, scale: AssetScale, horizons: tuple[int, ...], cut: int) -> MarketDays:
    """Inputs, path and targets of one asset as float32 tensors."""
    path = scale.path(asset)
    log_variance = np.stack([np.log(variance_ahead(asset.variance, days)) for days in horizons], axis=1)
    returns = np.stack([return_ahead(asset.returns, days) for days in horizons], axis=1)
    return MarketDays(
        torch.from_numpy(scale.inputs(asset)).float(),
        PathTensors(*(getattr(path, field.name).float() for field in fields(path))),
        torch.from_numpy(log_variance).float(),
        torch.from_numpy(returns).float(),
        cut,
    )


def learn_scale(asset: Asset, config: MarketConfig) -> AssetScale:
    """The path and input scales of an asset, from the days that are learned from.

    Raises:
        TooShortError: if there are too few.
    """
    return AssetScale.fit(asset.head(_cut(asset, config)), config.horizons)


def _cut(asset: Asset, config: MarketConfig) -> int:
    """Days of an asset that are learned from."""
    cut = len(asset) - round(config.validation * len(asset))
    fewest = FEWEST + max(config.horizons)
    if cut < fewest:
        raise TooShortError(
            f"asset {asset.id!r} has {cut} days to learn from; at least {fewest} are needed: give more, leave the "
            "asset out, or choose a smaller validation or shorter horizons"
        )
    return cut


def _options(config: MarketConfig) -> TrainingOptions:
    return TrainingOptions(
        max_epochs=config.max_epochs,
        max_seconds=config.max_seconds,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        gradient_clip=config.gradient_clip,
        patience=config.patience,
    )
