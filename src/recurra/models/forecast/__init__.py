"""The forecasting network: a recurrent layer, and quantiles of every step ahead from its latest state."""

from recurra.models.forecast.heads import QuantileHead, ordered_quantiles
from recurra.models.forecast.network import (
    CELLS,
    ForecastNetwork,
    ForecastShape,
    State,
    join_states,
    select_state,
    zero_state_like,
)

__all__ = [
    "CELLS",
    "ForecastNetwork",
    "ForecastShape",
    "QuantileHead",
    "State",
    "join_states",
    "ordered_quantiles",
    "select_state",
    "zero_state_like",
]
