"""A scikit-learn regressor over windows of lags: each row of X is a window, its columns are the steps."""

from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field

from recurra.errors import ConfigError
from recurra.learners.parameters import validate
from recurra.models.regression import WindowNetwork, WindowShape
from recurra.training import TrainingOptions, train
from recurra.training.windows import WindowTask

try:
    from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
    from sklearn.linear_model import Ridge
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:  # pragma: no cover
    raise ImportError("RecurrentRegressor needs scikit-learn 1.6 or newer: pip install 'recurra[sklearn]'") from error

Array = npt.NDArray[np.float64]


class RecurrentRegressorConfig(BaseModel):
    """Settings of a `RecurrentRegressor`; every field is a keyword of the constructor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cell: Literal["rnn", "lstm", "gru"] = Field("gru", description="recurrent layer: rnn, lstm or gru")
    hidden_size: int = Field(16, ge=1, description="neurons of each recurrent layer")
    num_layers: int = Field(1, ge=1, le=16, description="recurrent layers on top of each other")
    inputs_per_step: int = Field(1, ge=1, description="columns of X that belong to one step, side by side")
    ridge: float = Field(1e-2, ge=0, description="penalty of the linear map that the network corrects")
    validation: float = Field(0.15, ge=0, lt=1, description="share of the last rows that end the training; 0 for none")
    max_epochs: int = Field(60, ge=1, description="passes over the rows at most")
    batch_size: int = Field(64, ge=1, description="rows learned at once")
    learning_rate: float = Field(5e-3, gt=0, description="step size of AdamW after the warm-up")
    weight_decay: float = Field(1e-2, ge=0, description="decay of the weight matrices")
    patience: int = Field(10, ge=1, description="epochs without improvement before training stops")
    random_state: int = Field(0, ge=0, description="same seed, same model on one machine")


class RecurrentRegressor(RegressorMixin, MultiOutputMixin, BaseEstimator):  # type: ignore[misc]
    """A recurrent network over windows of lags, as a correction to a linear map of the same columns.

    Row n of X is a window, its columns are the steps from the oldest to the latest; with `inputs_per_step` above 1
    each step takes as many neighbouring columns. The rows are expected in order of time: the last ones end the
    training. Where the network does not lower the error there, the linear map stays as it is.

    The keywords are described in `RecurrentRegressorConfig`; they are checked at `fit`.

    After `fit`: `network_`, `linear_` (the ridge regression), `history_`, `n_features_in_`.

    Example:
        >>> import numpy as np
        >>> from recurra.learners.adapters import RecurrentRegressor
        >>> series = np.sin(np.arange(200) / 5)
        >>> X = np.lib.stride_tricks.sliding_window_view(series, 12)[:-1]
        >>> y = series[12:]
        >>> RecurrentRegressor(max_epochs=2).fit(X, y).predict(X[:3]).shape
        (3,)
    """

    schema: ClassVar[type[RecurrentRegressorConfig]] = RecurrentRegressorConfig

    def __init__(
        self,
        cell: str = "gru",
        hidden_size: int = 16,
        num_layers: int = 1,
        inputs_per_step: int = 1,
        ridge: float = 1e-2,
        validation: float = 0.15,
        max_epochs: int = 60,
        batch_size: int = 64,
        learning_rate: float = 5e-3,
        weight_decay: float = 1e-2,
        patience: int = 10,
        random_state: int = 0,
    ) -> None:
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.inputs_per_step = inputs_per_step
        self.ridge = ridge
        self.validation = validation
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.patience = patience
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> "RecurrentRegressor":
        """Learn from windows.

        Args:
            X: [n, steps * inputs_per_step].
            y: [n] or [n, outputs].

        Returns:
            Itself.

        Raises:
            ConfigError: a keyword is wrong, or the columns do not divide into steps.
            ValueError: X or y is no array of finite numbers, in scikit-learn's words.
        """
        config = validate(RecurrentRegressorConfig, self.get_params(deep=False))
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64, ensure_min_samples=2)
        inputs = config.inputs_per_step
        if X.shape[1] % inputs:
            raise ConfigError(f"{X.shape[1]} columns do not divide into steps of inputs_per_step={inputs}")
        targets = np.asarray(y, dtype=np.float64).reshape(len(X), -1)
        self._flat = np.ndim(y) == 1
        held_out = _last_rows(len(X), config.validation)
        learned = len(X) - len(held_out)
        self._middle, self._spread = _middle_and_spread(X[:learned])
        self._y_middle, self._y_spread = _middle_and_spread(targets[:learned])
        self.linear_ = Ridge(alpha=config.ridge).fit(self._standard(X)[:learned], self._standard_y(targets)[:learned])
        rest = self._standard_y(targets) - self._straight(X)
        self.network_ = self._build(config, targets.shape[1])
        task = WindowTask(
            self.network_, self._windows(X), torch.from_numpy(rest), held_out, config.batch_size, config.random_state
        )
        with torch.no_grad():
            straight = task.validation_loss()
        self.history_ = train(self.network_, task, _training_options(config))
        if not self.history_.best_loss < straight:
            self.network_.silence()
        return self

    def predict(self, X: Any) -> Array:
        """What follows each window, [n] or [n, outputs], as y was."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        with torch.no_grad():
            correction = self.network_(self._windows(X)).numpy()
        found: Array = (self._straight(X) + correction) * self._y_spread + self._y_middle
        return found[:, 0] if self._flat else found

    def _build(self, config: RecurrentRegressorConfig, outputs: int) -> WindowNetwork:
        shape = WindowShape(config.inputs_per_step, outputs, config.cell, config.hidden_size, config.num_layers)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(config.random_state)
            return WindowNetwork(shape).double()

    def _standard(self, X: Array) -> Array:
        return (X - self._middle) / self._spread

    def _standard_y(self, y: Array) -> Array:
        return (y - self._y_middle) / self._y_spread

    def _straight(self, X: Array) -> Array:
        """The linear map's answer, standardised, [n, outputs]."""
        return np.asarray(self.linear_.predict(self._standard(X)), dtype=np.float64).reshape(len(X), -1)

    def _windows(self, X: Array) -> torch.Tensor:
        """[n, steps, inputs_per_step]; what lies beyond ten spreads is drawn in, so that no gate saturates."""
        inputs = self.network_.shape.n_inputs
        return torch.from_numpy(np.clip(self._standard(X), -10, 10)).reshape(len(X), X.shape[1] // inputs, inputs)


def _last_rows(rows: int, share: float) -> npt.NDArray[np.int64]:
    """The rows that end the training: none of fewer than 20, where they would not tell much."""
    kept = rows - int(rows * share) if rows >= 20 else rows
    return np.arange(kept, rows, dtype=np.int64)


def _middle_and_spread(values: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each column, 1 for a constant one."""
    spread = values.std(0)
    return values.mean(0), np.where(spread > 0, spread, 1.0)


def _training_options(config: RecurrentRegressorConfig) -> TrainingOptions:
    return TrainingOptions(
        max_epochs=config.max_epochs,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        patience=config.patience,
    )
