"""The network of one stream, one fix of one object at a time: on the native kernels without torch, or with it."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from recurra.errors import BackendUnavailable
from recurra.models.forecast import State
from recurra.models.trajectory import PathOutput, TrajectoryNetwork
from recurra.models.trajectory.outputs import WIDEST
from recurra.nn import Stepper
from recurra.shapes import Tensor

Array = npt.NDArray[np.float64]
Parts = tuple[Tensor, ...]


class Drawn:
    """A path's output as arrays: what `PathOutput` holds, for one origin.

    Attributes:
        weights: of the components, [K].
        means: [horizon, K, 2].
        factors: a, b, c, [horizon, K, 3]; None for points.
    """

    __slots__ = ("factors", "means", "weights")

    def __init__(self, weights: Array, means: Array, factors: Array | None) -> None:
        self.weights, self.means, self.factors = weights, means, factors

    def in_space(
        self, scale: float, velocity: tuple[float, float], frame: tuple[float, float], steps: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Middle path, weights, means and factors in units of length: `TrajectoryPredictor.in_space` for one object.

        Args:
            scale: length of a usual step.
            velocity: the way of one step at the origin.
            frame: cosine and sine of the heading there.
            steps: 1, 2, ... horizon.
        """
        c, s = scale * frame[0], scale * frame[1]
        horizon, count = self.means.shape[:2]
        turned = (self.means.reshape(-1, 2) @ np.array([[c, s], [-s, c]])).reshape(horizon, count, 2)
        turned += (steps[:, None] * velocity)[:, None]
        paths = turned.transpose(1, 0, 2)[None]
        if self.factors is None:
            nothing = np.empty((1, 0, horizon, 2))
            return paths[:, 0], np.empty((1, 0)), nothing, np.empty((1, 0, horizon, 2, 2))
        path = paths[:, 0] if count == 1 else (self.weights @ turned)[None]
        turn = np.array([[c, 0.0, s, 0.0], [-s, 0.0, c, 0.0], [0.0, -s, 0.0, c]])  # of a, b, c into the rows of R A
        factors = (self.factors.reshape(-1, 3) @ turn).reshape(horizon, count, 2, 2)
        return path, self.weights[None], paths, factors.transpose(1, 0, 2, 3)[None]

    @classmethod
    def of(cls, output: PathOutput) -> "Drawn":
        """The first row of a batch."""
        factors = None if output.factors is None else output.factors[0].numpy()
        return cls(output.log_weights[0].exp().numpy(), output.means[0].numpy(), factors)


class Engine(Protocol):
    """Advances the state of one object by one input, and draws its path."""

    def advance(self, x: Array, state: Parts) -> tuple[Array, Parts]:
        """The encoder's output and the state after an input; the state's parts are [layers, 1, hidden]."""

    def draw(self, h: Array, x: Array, lagged: Array | None) -> Drawn:
        """The path from an encoder's output."""


def engine_of(network: TrajectoryNetwork) -> Engine:
    """The native engine where the kernels are built and serve the network, else torch's."""
    try:
        return NativeEngine(network)
    except BackendUnavailable:
        return TorchEngine(network)


class TorchEngine:
    """By the network's own modules.

    Args:
        network: in float64, in evaluation.
    """

    def __init__(self, network: TrajectoryNetwork) -> None:
        self._network = network

    @torch.inference_mode()
    def advance(self, x: Array, state: Parts) -> tuple[Array, Parts]:
        """See `Engine`."""
        given: Any = state if len(state) > 1 else state[0]
        h, after = self._network.step(torch.from_numpy(x)[None], given)
        return h[0].numpy(), parts_of(after)

    @torch.inference_mode()
    def draw(self, h: Array, x: Array, lagged: Array | None) -> Drawn:
        """See `Engine`."""
        one = [torch.from_numpy(np.ascontiguousarray(a))[None] for a in (h, x)]
        late = None if lagged is None else torch.from_numpy(lagged)[None]
        return Drawn.of(self._network.paths(one[0], one[1], late))


class NativeEngine:
    """By steppers that hold packed weights, and numpy around them; equal to the modules, at a fraction of their cost.

    Args:
        network: in float64, in evaluation; its weights must not change any more.

    Raises:
        BackendUnavailable: if the native kernels are not built or cannot serve the network.
    """

    def __init__(self, network: TrajectoryNetwork) -> None:
        shape = network.shape
        self._encoder, self._decoder = Stepper(network.encoder), Stepper(network.decoder)
        self._lstm = shape.cell == "lstm"
        self._held: Parts | None = None
        self._weights = _affine(network.weights)
        self._linear = None if network.linear is None else _affine(network.linear)
        self._count, self._whole = network.n_components, np.ones(1)
        self._head = self._sorted_head(network)
        along, across = network.spread.numpy().T
        self._spread = np.stack([along, across, across], 1)[:, None]
        self._sum = np.tri(shape.horizon)
        when = np.arange(1.0, shape.horizon + 1)[:, None] / shape.horizon
        self._inputs = np.concatenate([np.zeros((shape.horizon, shape.n_inputs)), when], 1)
        first = torch.zeros(1, 1, shape.hidden_size, dtype=torch.float64)
        self._first, self._begin = first.view(-1).numpy(), (first, torch.zeros_like(first)) if self._lstm else first

    @staticmethod
    def _sorted_head(network: TrajectoryNetwork) -> tuple[Array, Array]:
        """The head with all displacements first, times their gain, then what bounds the spreads, then the shears."""
        gain = np.ones(network.n_numbers)
        gain[:2] = float(network.gain)
        gain[2:4] /= WIDEST
        at = np.arange(network.n_components * network.n_numbers).reshape(network.n_components, -1)
        order = np.concatenate([at[:, part].reshape(-1) for part in (slice(2), slice(2, 4), slice(4, 5))])
        weight, bias = (part * np.tile(gain, network.n_components) for part in _affine(network.head))
        return np.ascontiguousarray(weight[:, order]), bias[order]

    def advance(self, x: Array, state: Parts) -> tuple[Array, Parts]:
        """See `Engine`. The state that was given back last is still in place and need not be laid down again."""
        if state is not self._held:
            self._encoder.state = state if len(state) > 1 else state[0]
        h = self._encoder.step(x)
        self._held = self._encoder.state_parts
        return np.asarray(h, np.float64), self._held

    def draw(self, h: Array, x: Array, lagged: Array | None) -> Drawn:
        """See `Engine`."""
        self._first[:] = h
        self._decoder.state = self._begin
        self._inputs[:, :-1] = x
        weight, bias = self._head
        raw = self._decoder.run(self._inputs) @ weight
        raw += bias
        count, horizon = self._count, len(raw)
        means = (self._sum @ raw[:, : 2 * count]).reshape(horizon, count, 2)
        if self._linear is not None and lagged is not None:
            weight, bias = self._linear
            means += (self._sum @ (lagged @ weight + bias).reshape(horizon, 2))[:, None]
        return Drawn(self._shares(h), means, self._factors(raw) if raw.shape[1] > 2 * count else None)

    def _shares(self, h: Array) -> Array:
        if self._count == 1:
            return self._whole
        weight, bias = self._weights
        logits = h @ weight + bias
        shares: Array = np.exp(logits - logits.max())
        shares /= shares.sum()
        return shares

    def _factors(self, raw: Array) -> Array:
        """a, b and c as in `read_output`."""
        count = self._count
        bounded = np.tanh(raw[:, 2 * count : 4 * count])
        bounded *= WIDEST
        factors = np.empty((len(raw), count, 3))
        factors[..., ::2] = np.exp(bounded, out=bounded).reshape(-1, count, 2)
        factors[..., 1] = raw[:, 4 * count :]
        factors *= self._spread
        return factors


def parts_of(state: State) -> Parts:
    """The parts of a recurrent state: h, and for an LSTM c."""
    return state if isinstance(state, tuple) else (state,)


def _affine(layer: torch.nn.Linear) -> tuple[Array, Array]:
    """Weight, transposed for rows, and bias of a linear layer as arrays."""
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    return np.ascontiguousarray(weight.T), bias.copy()
