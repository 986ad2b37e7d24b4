"""A forecaster under sktime's conventions: one recurrent network over all instances and columns."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from recurra.data.forecasts import Forecasts
from recurra.errors import ConfigError
from recurra.learners.adapters._pandas_rows import SERIES, STAMP, TARGET, PandasRows
from recurra.learners.forecaster import Forecaster

try:
    from sktime.datatypes import get_cutoff
    from sktime.forecasting.base import BaseForecaster, ForecastingHorizon
except ImportError as error:  # pragma: no cover
    raise ImportError("RecurrentForecaster needs sktime: pip install 'recurra[sktime]'") from error

Array = npt.NDArray[np.float64]
QUANTILES = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99)
HERE = ("sp", "random_state", "settings")
GIVEN = ("horizon", "unique_id", "ds", "y", "future_covariates", "past_covariates", "static_covariates")


class RecurrentForecaster(BaseForecaster):  # type: ignore[misc]
    """`recurra.Forecaster` as an sktime forecaster.

    One network learns from all instances of a panel or hierarchy and all columns of `y`, each of them a series. It is
    trained for the longest step of the forecasting horizon. `X` is known in advance; categories are taken as they are.
    What is missing is masked, in `y` and in `X`, and the network knows for how long it has been. Steps within the
    sample are answered with the one-step forecasts from the row before,
    and with NaN for the first row, which has none. `update` carries the state over the new rows; with
    `update_params=True` it also goes on training, as `Forecaster.update` does.

    Args:
        cell, hidden_size, num_layers, dropout: the network.
        context: steps of a training window; chosen from season and horizon.
        sp: steps of a season; chosen from the frequency.
        residual, scaling: the rule that is corrected, and how series are scaled.
        quantiles: levels that are learned; others between them lie on straight lines.
        validation: share (below 1) or number of last rows to validate on.
        max_epochs, max_seconds, batch_size, learning_rate, weight_decay, patience: the training.
        random_state: same seed, same model on one machine.
        settings: further keywords of `recurra.Forecaster`, such as missing_covariates="last"; they go before the
            adapter's own. What follows from y, X and fh (horizon, columns) is refused.

    After `fit`: `forecaster_`, the `recurra.Forecaster`.

    Example:
        >>> import numpy as np, pandas as pd
        >>> from recurra.learners.adapters import RecurrentForecaster
        >>> days = pd.period_range("2024-01-01", periods=60, freq="D")
        >>> y = pd.Series(np.sin(np.arange(60)), index=days)
        >>> forecaster = RecurrentForecaster(hidden_size=4, max_epochs=1)
        >>> forecaster.fit(y, fh=[1, 2, 3]).predict().shape
        (3,)
    """

    _tags: ClassVar[dict[str, Any]] = {
        "authors": "The Recurra authors",
        "maintainers": "The Recurra authors",
        "python_dependencies": None,
        "y_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "X_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:categorical_in_X": True,
        "capability:insample": True,
        "capability:pred_int": True,
        "capability:pred_int:insample": True,
        "capability:missing_values": True,
        "capability:non_contiguous_X": False,
        "capability:unequal_length": True,
        "capability:update": True,
        "capability:random_state": True,
        "property:randomness": "derandomized",
        "requires-fh-in-fit": True,
        "X-y-must-have-same-index": True,
    }
    _config: ClassVar[dict[str, Any]] = {"remember_data": False}

    def __init__(
        self,
        cell: str = "gru",
        hidden_size: int = 32,
        num_layers: int = 1,
        dropout: float = 0.1,
        context: int | None = None,
        sp: int | None = None,
        residual: str = "auto",
        scaling: str = "running",
        quantiles: Sequence[float] = QUANTILES,
        validation: float = 0.15,
        max_epochs: int = 40,
        max_seconds: float | None = None,
        batch_size: int = 32,
        learning_rate: float = 2e-3,
        weight_decay: float = 1e-2,
        patience: int = 12,
        random_state: int = 0,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.dropout = dropout
        self.context = context
        self.sp = sp
        self.residual = residual
        self.scaling = scaling
        self.quantiles = quantiles
        self.validation = validation
        self.max_epochs = max_epochs
        self.max_seconds = max_seconds
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.patience = patience
        self.random_state = random_state
        self.settings = settings
        super().__init__()
        self._y = self._X = None  # for users who switch `remember_data` on; the rows are kept here in any case

    def _fit(self, y: pd.DataFrame, X: pd.DataFrame | None, fh: Any) -> "RecurrentForecaster":
        self._rows = PandasRows(y, X)
        self._columns = list(y.columns)
        steps = self._relative(fh)
        named = {name: value for name, value in self.get_params(deep=False).items() if name not in HERE}
        further = self.settings or {}
        taken = [name for name in further if name in GIVEN]
        if taken:
            raise ConfigError(f"settings: {taken[0]!r} follows from y, X and fh; leave it out")
        chosen: dict[str, Any] = {"season": self.sp, "seed": _seed(self.random_state)}
        table: dict[str, Any] = {"freq": self._rows.frequency(), "future_covariates": self._rows.covariates}
        masks: dict[str, Any] = {"missing": "mask", "gaps": "fill", "missing_covariates": "mask"}
        columns: dict[str, Any] = {"horizon": max(1, int(steps.max())), "unique_id": SERIES, "ds": STAMP, "y": TARGET}
        self.forecaster_ = Forecaster(**{**table, **masks, **chosen, **named, **further, **columns})
        self.forecaster_.fit(self._rows.long())
        return self

    def _update(
        self, y: pd.DataFrame, X: pd.DataFrame | None = None, update_params: bool = True
    ) -> "RecurrentForecaster":
        self._rows = self._rows.followed_by(y, X)
        rows = self._rows.long()
        if update_params and self.forecaster_.has_new_rows(rows):
            self.forecaster_.update(rows)
        return self

    def _predict(self, fh: Any, X: pd.DataFrame | None) -> pd.DataFrame:
        answers = self._answers(fh, X).median
        return self._framed(fh, answers[..., None], self._columns)

    def _predict_quantiles(self, fh: Any, X: pd.DataFrame | None, alpha: list[float]) -> pd.DataFrame:
        answers = self._answers(fh, X)
        outside = [level for level in alpha if not answers.levels[0] <= level <= answers.levels[-1]]
        if outside:
            raise ConfigError(
                f"quantile level {outside[0]:g} lies outside the learned ones, {answers.levels[0]:g} to "
                f"{answers.levels[-1]:g}; give quantiles= that reach as far, and fit again"
            )
        values = np.stack([answers.quantile(level) for level in alpha], -1)
        return self._framed(fh, values, pd.MultiIndex.from_product([self._get_varnames(), alpha]))

    def _relative(self, fh: Any) -> npt.NDArray[np.int64]:
        """Steps ahead of the cutoff; 0 and below lie within the sample."""
        return np.asarray(fh.to_relative(self.cutoff).to_numpy(), np.int64)

    def _answers(self, fh: Any, X: pd.DataFrame | None) -> Forecasts:
        """The forecasts of the wanted steps of every series, in the order of the rows."""
        steps, names, model = self._relative(fh), self._rows.series(), self.forecaster_
        levels = tuple(model._config.quantiles)
        quantiles = np.full((len(names), len(steps), len(levels)), np.nan)
        table = model._known_table(self._rows.long())
        order = [table.ids.index(name) for name in names]
        if steps.max() > 0:
            future = self._rows.future(X, model._config.horizon)
            ahead = model.forecasts(table, future).quantiles[order]
            quantiles[:, steps > 0] = ahead[:, steps[steps > 0] - 1]
        if steps.min() <= 0:
            before = model.hindcast(table, since=0).quantiles[:, 0]
            rows = table.offsets[1:][order, None] - 2 + steps[steps <= 0]
            there = rows >= table.offsets[:-1][order, None]
            quantiles[:, steps <= 0] = np.where(there[..., None], before[np.maximum(rows, 0)], np.nan)
        ds = np.broadcast_to(steps, quantiles.shape[:2])
        return Forecasts(tuple(names), ds, levels, quantiles, quantiles.mean(-1))

    def _framed(self, fh: Any, values: Array, columns: Any) -> pd.DataFrame:
        """[series, steps, k] as a table: rows by instance and step, columns by target and k."""
        width = len(self._columns)
        frames, names = [], []
        for i, (name, part) in enumerate(self._rows.instances()):
            block = values[i * width : (i + 1) * width].transpose(1, 0, 2).reshape(values.shape[1], -1)
            frames.append(pd.DataFrame(block, index=self._index_after(part, fh), columns=columns))
            names.append(name)
        if self._rows.y.index.nlevels == 1:
            return frames[0]
        levels = list(self._rows.y.index.names)
        return pd.concat(frames, keys=names, names=levels)

    def _index_after(self, part: pd.DataFrame, fh: Any) -> "pd.Index[Any]":
        if part.index[-1] == self.cutoff[0]:
            same: pd.Index[Any] = fh.to_absolute_index(self.cutoff)
            return same
        freq = getattr(self.cutoff, "freq", None) or getattr(fh, "freq", None)
        own = ForecastingHorizon(self._relative(fh), is_relative=True, freq=freq)
        later: pd.Index[Any] = own.to_absolute_index(get_cutoff(part, return_index=True))
        return later

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Small networks for sktime's own checks.

        Args:
            parameter_set: accepted for sktime's sake.
        """
        del parameter_set
        small: dict[str, Any] = {"hidden_size": 4, "max_epochs": 1, "batch_size": 8}
        return [
            {**small, "residual": "naive"},
            {**small, "cell": "lstm", "sp": 2, "residual": "season_mean", "scaling": "standard"},
        ]


def _seed(state: Any) -> int:
    """Sktime hands over whole numbers or a RandomState; a network takes a whole number."""
    if state is None:
        return 0
    return int(state.randint(2**31)) if hasattr(state, "randint") else int(state)
