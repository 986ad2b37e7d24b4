"""MarketForecaster: trading days in, distributions of the next returns and variances out, in batch and live."""

import os
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from recurra.checkpoints import Checkpoint, check_output_folder, save_checkpoint
from recurra.data.forecasts import Forecasts
from recurra.data.frames import to_native
from recurra.data.frequency import show_stamp
from recurra.data.market import CLOSED, MarketColumns, MarketPolicy, MarketTable
from recurra.evaluation.market import MarketReport, walk_forward
from recurra.learners.card import DataNote, market_card
from recurra.learners.market_fitting import FittedMarket, fit_market, learn_scale
from recurra.learners.market_schema import MarketConfig
from recurra.learners.parameters import Learner, validate
from recurra.prediction.market import MarketForecast, MarketPredictor
from recurra.prediction.market_answers import MARKET_LEVELS, price_fan, return_columns
from recurra.prediction.market_stream import MarketStream
from recurra.training import History

TASK = "market"


class MarketForecaster(Learner):
    """The distribution of the next returns and of their variance, from a network that corrects a log-HAR path.

    Never a price level: tomorrow's price is today's, to within a percent, so that a forecast price proves nothing.
    Prices are derived from the distribution of returns; see `fan`.

    The keywords are described in `recurra.learners.market_schema.MarketConfig`; they are checked at `fit`.

    After `fit`: `network_` (the module), `history_` (every epoch), `assets_` (their names), `measure_` (what the
    variance is made from), `n_parameters_`, `model_hash_`.
    """

    schema: ClassVar[type[MarketConfig]] = MarketConfig

    def __init__(
        self,
        horizons: Sequence[int] = (1,),
        *,
        distribution: str = "student_t",
        components: int = 2,
        cell: str = "gru",
        hidden_size: int = 16,
        num_layers: int = 1,
        dropout: float = 0.2,
        context: int = 64,
        unique_id: str | None = None,
        ds: str = "ds",
        close: str | None = "close",
        open: str | None = None,
        high: str | None = None,
        low: str | None = None,
        adjusted_close: str | None = None,
        returns: str | None = None,
        realised: str | None = None,
        covariates: Sequence[str] = (),
        log_covariates: Sequence[str] = (),
        date_format: str | None = None,
        splits: str = "refuse",
        gaps: str = "refuse",
        longest_gap: int = 7,
        closed: Sequence[str] = CLOSED,
        missing: str = "refuse",
        unsorted: str = "refuse",
        validation: float = 0.0,
        max_epochs: int = 60,
        max_seconds: float | None = None,
        batch_size: int = 8,
        learning_rate: float = 3e-3,
        weight_decay: float = 0.1,
        gradient_clip: float | None = 1.0,
        patience: int = 1000,
        seed: int = 0,
        backend: str = "auto",
        progress: str = "none",
    ) -> None:
        for name, value in locals().items():
            if name in MarketConfig.model_fields:
                setattr(self, name, value)

    def fit(self, table: Any) -> "MarketForecaster":
        """Learn from trading days.

        Args:
            table: pandas, polars, pyarrow, a path to CSV or Parquet, or a `MarketTable`; a row an asset and day.

        Raises:
            ConfigError: a keyword is wrong.
            TableError: the table is wrong; the message names row, column and remedy.
            NonFiniteLossError: training diverged; the model keeps its best weights so far.
        """
        config = validate(MarketConfig, self.get_params())
        market = self._table(table, config)
        fitted = fit_market(market, config)
        self._accept(config, fitted, market)
        if fitted.error is not None:
            raise fitted.error
        return self

    def _accept(self, config: MarketConfig, fitted: FittedMarket, market: MarketTable) -> None:
        self._config, self._predictor, self.history_ = config, fitted.predictor, fitted.history
        days = np.concatenate([asset.ds[[0, -1]] for asset in market.assets])
        first, last = show_stamp(days.min(), market.time_zone), show_stamp(days.max(), market.time_zone)
        self.measure_ = market.columns.measure
        self._summary = f"{len(market)} days of {len(market.assets)} assets, {first} to {last}; {self.measure_}"
        self._publish()

    def _publish(self) -> None:
        """The fitted attributes that follow from the predictor."""
        self.network_ = self._predictor.network
        self.assets_ = tuple(self._predictor.scales)
        self.n_parameters_ = sum(p.numel() for p in self.network_.parameters())
        self.model_hash_ = self._predictor.fingerprint

    def predict(self, table: Any) -> Any:
        """Distributions of the sum of the next returns after each asset's last day, at every horizon.

        Returns:
            The kind of table that came in: one row per asset and horizon, dated, with `mean`, `std` and quantiles of
            the sum of the log returns in percent, `up` (its probability of being above 0), and `volatility`, the root
            of the expected mean daily variance, in percent.
        """
        market = self._known_table(table)
        columns = return_columns(market, self._predictor.forecast(market), MARKET_LEVELS)
        return to_native(columns, market.kind, time_zone=market.time_zone)

    def fan(self, table: Any, quantiles: Sequence[float] = MARKET_LEVELS) -> Forecasts:
        """Dated prices at every horizon, derived from the distribution of returns: last close times e^(R / 100).

        Raises:
            TableError: if the table has no closing prices.
        """
        market = self._known_table(table)
        return price_fan(market, self._predictor.forecast(market), quantiles)

    def hindcast(self, table: Any, since: int = 0) -> list[MarketForecast]:
        """Forecasts made after every row of each asset from row number `since` on, each from its own past only."""
        market = self._known_table(table)
        return [self._predictor.hindcast(asset, since) for asset in market.assets]

    def backtest(self, table: Any, since: Any, refit: int = 250, seeds: int = 1, linear: bool = False) -> MarketReport:
        """Walk forward from a day on, beside the rules of the field; everything is fitted inside the fold.

        An asset with too few days before a fold is left out of it, and the report says so.

        Args:
            table: as for `fit`.
            since: first day that is forecast; the days before are learned from.
            refit: trading days after which everything is fitted anew.
            seeds: networks that are scored, from `seed` on; scores are means over them, and the verdict is that of
                the first, whose forecasts `fit` gives.
            linear: whether the same learner without its recurrent layer stands beside it.
        """
        config = validate(MarketConfig, self.get_params())
        market = self._table(table, config)
        others = {"recurrent part off": self._fold_fit(config, cell="none")} if linear else {}
        return walk_forward(
            market, self._fold_fit(config), config.horizons, since=since, refit=refit,
            seeds=range(config.seed, config.seed + seeds), others=others,
            check=lambda asset: learn_scale(asset, config),
        )  # fmt: skip

    @staticmethod
    def _fold_fit(config: MarketConfig, **changes: Any) -> Any:
        def fit(known: MarketTable, seed: int) -> MarketPredictor:
            fitted = fit_market(known, config.model_copy(update={"seed": seed, **changes}))
            if fitted.error is not None:
                raise fitted.error
            return fitted.predictor

        return fit

    def stream(self, table: Any = None) -> MarketStream:
        """Run live: after every row, the forecast equals `predict` on the rows so far.

        Args:
            table: rows that came before, if any.
        """
        self._require_fit()
        market = None if table is None else self._known_table(table)
        return MarketStream(self._predictor, self._columns(self._config), self._policy(self._config), market)

    def restore(self, snapshot: bytes) -> MarketStream:
        """The stream that `stream.snapshot()` described; it must be this very model's."""
        self._require_fit()
        return MarketStream.restore(snapshot, self._predictor, self._columns(self._config), self._policy(self._config))

    def save(
        self,
        folder: str | os.PathLike[str],
        overwrite: bool = False,
        data_name: str = "not named",
        data_licence: str = "not stated",
    ) -> None:
        """Write the model as a folder: configuration, weights, manifest and model card; see `Forecaster.save`."""
        self._require_fit()
        check_output_folder(folder, overwrite=overwrite)
        fields = MarketConfig.model_fields
        changed = {n: v for n, v in self._config.model_dump().items() if n != "progress" and v != fields[n].default}
        fitted = {"measure": self.measure_, "summary": self._summary, "history": self.history_.to_dict()}
        config = {
            "task": TASK,
            "settings": self._config.model_dump(mode="json"),
            "fitted": fitted,
            "predictor": self._predictor.to_config(),
        }
        card = market_card(changed, DataNote(data_name, data_licence, self._summary))
        save_checkpoint(folder, config=config, tensors=self._predictor.to_tensors(), card=card, overwrite=overwrite)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> "MarketForecaster":
        """The model of a folder that was read; see `recurra.load`."""
        config: Any = checkpoint.config
        settings = validate(MarketConfig, config["settings"])
        model = cls(**settings.model_dump())
        model._config = settings
        model._predictor = MarketPredictor.from_saved(config["predictor"], checkpoint.tensors)
        model.measure_, model._summary = config["fitted"]["measure"], config["fitted"]["summary"]
        model.history_ = History.from_dict(config["fitted"]["history"])
        model._publish()
        return model

    @staticmethod
    def _columns(config: MarketConfig) -> MarketColumns:
        names = MarketColumns.__dataclass_fields__
        return MarketColumns(**{name: getattr(config, name) for name in names})

    @staticmethod
    def _policy(config: MarketConfig) -> MarketPolicy:
        names = MarketPolicy.__dataclass_fields__
        return MarketPolicy(**{name: getattr(config, name) for name in names})

    def _known_table(self, source: Any) -> MarketTable:
        self._require_fit()
        return self._table(source, self._config)

    def _table(self, source: Any, config: MarketConfig) -> MarketTable:
        return MarketTable.from_table(source, columns=self._columns(config), policy=self._policy(config))
