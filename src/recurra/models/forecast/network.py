"""A recurrent network that is shown one observation at a time and forecasts all steps ahead from its latest state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from torch import nn

from recurra.models.forecast.decoder import RecurrentDecoder
from recurra.models.forecast.heads import DirectHead, ordered_quantiles
from recurra.models.forecast.layers import State, build_layer, first_state, layer_width
from recurra.models.forecast.outputs import QuantileOutput, build_output
from recurra.shapes import Float, Lengths, Tensor


@dataclass(frozen=True)
class ForecastShape:
    """The sizes of a forecasting network; enough to build it again.

    Args:
        n_inputs: inputs at each step.
        n_future: inputs known of each step ahead.
        horizon: steps ahead.
        levels: increasing quantile levels.
        cell, hidden_size, num_layers, dropout: of the recurrent layer.
        decoder: "direct", "recurrent" or "segments".
        output: what is learned of each step: "quantiles", or the name of a distribution.
        components: of a mixture.
        options: further keywords of the layer in `recurra.nn`.
        lookback: values of the target that "segments" reads.
        segment: values in a segment.
    """

    n_inputs: int
    n_future: int
    horizon: int
    levels: tuple[float, ...]
    cell: str = "gru"
    hidden_size: int = 32
    num_layers: int = 1
    dropout: float = 0.0
    decoder: str = "direct"
    output: str = "quantiles"
    components: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    lookback: int = 0
    segment: int = 0


class ForecastNetwork(nn.Module):
    """Y(t) = phi(X(t) W_x + Y(t-1) W_y + b), and numbers for the steps t+1 ... t+horizon from Y(t).

    Every forecast is made from the latest state, so that it has seen every observation up to its origin. What the
    numbers mean is up to `output`: quantiles, or the parameters of a distribution, around the rule that is corrected.

    Args:
        shape: the sizes.
        backend: passed on to the recurrent layer.
    """

    def __init__(self, shape: ForecastShape, backend: str = "auto") -> None:
        super().__init__()
        self.shape = shape
        self.recurrent = build_layer(
            shape.cell,
            shape.n_inputs,
            shape.hidden_size,
            shape.num_layers,
            shape.dropout,
            backend,
            shape.options,
        )
        self.dropout = nn.Dropout(shape.dropout)
        self.output = build_output(shape.output, shape.levels, shape.horizon, shape.components)
        width, start = layer_width(shape.hidden_size, shape.options), self.output.start
        self.head: DirectHead | RecurrentDecoder
        if shape.decoder == "recurrent":
            self.head = RecurrentDecoder(
                width, shape.n_future, shape.horizon, start, shape.cell, shape.hidden_size, backend
            )
        else:
            self.head = DirectHead(width, shape.n_future, shape.horizon, start)

    def states(
        self, x: Float[Tensor, "batch time input"], state: State | None = None, lengths: Lengths | None = None
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Outputs of every step and the last state, from `state` or from the first one."""
        output, last = self.recurrent(x, cast("Any", state), lengths=lengths)
        return output, last

    def step(self, x: Float[Tensor, "batch input"], state: State | None) -> tuple[Float[Tensor, "batch hidden"], State]:
        """One observation: its output and the state after it."""
        output, last = self.recurrent.step(x, cast("Any", state))
        return output, last

    def first_state(self, batch: int) -> State:
        """The state before the first observation."""
        return first_state(self.recurrent, batch)

    def raw(
        self,
        h: Float[Tensor, "*origins hidden"],
        future: Float[Tensor, "*origins horizon future"] | None = None,
        window: Float[Tensor, "*origins lookback"] | None = None,
    ) -> Float[Tensor, "*origins horizon number"]:
        """The numbers of the steps after each origin, as `output` reads them.

        Args:
            h: outputs at the origins.
            future: what is known of the steps ahead.
            window: not looked at.
        """
        del window
        numbers: Tensor = self.head(self.dropout(h), future)
        return numbers

    def quantiles(
        self,
        h: Float[Tensor, "*origins hidden"],
        future: Float[Tensor, "*origins horizon future"] | None = None,
    ) -> Float[Tensor, "*origins horizon quantile"]:
        """Quantiles of the steps after each origin relative to the rule, in units of its step: of `QuantileOutput`."""
        assert isinstance(self.output, QuantileOutput)
        return ordered_quantiles(self.raw(h, future), self.output.middle)
