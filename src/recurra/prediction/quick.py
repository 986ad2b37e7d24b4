"""One known row of one stream, and its forecast, in a fraction of the time that the general path takes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.forecasts import Forecasts
from recurra.data.preparation import StreamedRows
from recurra.data.preparation.single import SingleRows, at_default, serves
from recurra.errors import BackendUnavailable
from recurra.models.forecast import DirectHead, ForecastNetwork, QuantileOutput, State, mean_weights
from recurra.nn.stepper import Stepper
from recurra.prediction.answers import Answer
from recurra.prediction.clock import Clock
from recurra.prediction.forecast import ForecastPredictor
from recurra.prediction.head import ArrayHead

Array = npt.NDArray[np.float64]
SIZES = frozenset({"n_inputs", "n_future", "horizon", "levels", "cell", "hidden_size", "num_layers", "dropout"})


class QuickSteps:
    """Takes single rows of streams: the same numbers as the general path, to rounding.

    Args:
        predictor: the trained model; one that `serves_quickly` tells true of.
    """

    def __init__(self, predictor: ForecastPredictor) -> None:
        network: Any = predictor.network
        self._predictor, self._mean_weights = predictor, np.array(mean_weights(predictor.shape.levels))
        self._rows, self.clock = SingleRows(predictor.preparation.spec), Clock(predictor.preparation)
        self._stepper, self._head = Stepper(network.recurrent), ArrayHead(network.head, network.output.middle)
        self._inputs = np.empty(predictor.shape.n_inputs)

    def take(self, rows: StreamedRows, state: State, i: int, y: float, stamp: Any) -> tuple[npt.NDArray[Any], Array]:
        """One row of stream i: its place in `rows` and `state` is written to.

        Args:
            rows: what the streams carry.
            state: their recurrent states, [layers, streams, hidden].
            i: which stream.
            y: the observation; not missing.
            stamp: its time.

        Returns:
            The stamps forecast [horizon], and their quantiles in the units of the series, [horizon, level].
        """
        ahead = self.clock.after(stamp)
        row = self._rows.advance(rows, i, y)
        own = len(row.inputs)
        self._inputs[:own] = row.inputs
        self._inputs[own:] = ahead.calendar[0]
        parts = state if isinstance(state, tuple) else (state,)
        self._stepper.state = tuple(part[:, i : i + 1] for part in parts)
        h: Array = self._stepper.step(self._inputs)  # type: ignore[assignment]
        for part, new in zip(parts, self._stepper.state_parts, strict=True):
            part.numpy()[:, i : i + 1] = new.numpy()
        correction = self._head.quantiles(h[None], ahead.calendar[None, 1:])[0]
        return ahead.ds, row.reference[:, None] + row.step * correction

    def answer(self, name: str | int, ds: npt.NDArray[Any], quantiles: Array) -> Forecasts:
        """The forecast of one stream."""
        answer = Answer(quantiles[None], (quantiles @ self._mean_weights)[None])
        return self._predictor.as_forecasts((name,), ds[None], answer)


def quick_steps(predictor: ForecastPredictor) -> QuickSteps | None:
    """The quick path of a model, or None where only the general one can answer.

    It takes models without covariates, whose quantiles come straight from the state, with the native kernels built.
    """
    network = predictor.network
    if type(network) is not ForecastNetwork or not serves(predictor.preparation.spec):
        return None
    if type(network.head) is not DirectHead or type(network.output) is not QuantileOutput:
        return None
    if predictor.conformal is not None or not predictor.is_direct:
        return None
    if not all(at_default(predictor.shape, name) for name in vars(predictor.shape) if name not in SIZES):
        return None
    try:
        return QuickSteps(predictor)
    except BackendUnavailable:
        return None
