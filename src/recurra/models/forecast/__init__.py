"""Forecasting networks: a recurrent layer, what it says of every step ahead, and the ways from one to the other."""

from recurra.models.forecast.decoder import RecurrentDecoder
from recurra.models.forecast.heads import DirectHead, ordered_quantiles
from recurra.models.forecast.layers import CELLS, State, check_options, join_states, select_state
from recurra.models.forecast.network import ForecastNetwork, ForecastShape
from recurra.models.forecast.outputs import Output, QuantileOutput, RulePath, build_output, mean_weights
from recurra.models.forecast.segments import SegmentNetwork

AnyForecastNetwork = ForecastNetwork | SegmentNetwork

__all__ = [
    "CELLS",
    "AnyForecastNetwork",
    "DirectHead",
    "ForecastNetwork",
    "ForecastShape",
    "Output",
    "QuantileOutput",
    "RecurrentDecoder",
    "RulePath",
    "SegmentNetwork",
    "State",
    "build_forecast_network",
    "build_output",
    "check_options",
    "join_states",
    "mean_weights",
    "ordered_quantiles",
    "select_state",
    "zero_state_like",
]


def build_forecast_network(shape: ForecastShape, backend: str = "auto") -> AnyForecastNetwork:
    """The network of this shape, with weights drawn from torch's default generator."""
    return (SegmentNetwork if shape.decoder == "segments" else ForecastNetwork)(shape, backend)


def zero_state_like(network: AnyForecastNetwork, batch: int) -> State:
    """The state before the first observation: zeros, unless the network learned another."""
    return network.first_state(batch)
