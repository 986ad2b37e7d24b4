"""Weights to and from Keras, as the lists of arrays that its layers give and take."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from recurra.errors import ConfigError, ShapeError
from recurra.kernels import Activation, Phi, as_function
from recurra.nn._recurrent import Recurrent
from recurra.nn.exchange._arrays import (
    GATES,
    Array,
    Arrays,
    Layer,
    arrays_of,
    kind_of,
    layer_from,
    refuse_options,
    reordered,
    restored,
)
from recurra.nn.gru import GRU
from recurra.nn.lstm import LSTM

_KINDS = MappingProxyType({"SimpleRNN": "RNN", "LSTM": "LSTM", "GRU": "GRU"})
_ORDERS = MappingProxyType({"RNN": (0,), "LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2)})
"""Which of our gates stands where in Keras: LSTM i f c o, GRU z r h."""

_ACTIVATIONS: Mapping[str, Phi] = MappingProxyType(
    {name: name for name in ("tanh", "relu", "sigmoid", "elu", "softsign", "softplus")}
    | {
        "linear": "affine",
        "hard_sigmoid": Activation("hard_sigmoid", alpha=1 / 6, beta=0.5),
        "leaky_relu": Activation("leaky_relu", alpha=0.2),
    }
)
"""Keras 3's names -> the same functions here, whose alpha and beta ONNX gives other defaults."""

_FUNCTIONS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "RNN": (("nonlinearity",), ()),
        "LSTM": (("cell_activation", "output_activation"), ("gate_activation",)),
        "GRU": (("candidate_activation",), ("gate_activation",)),
    }
)
"""Our keywords that Keras' activation and recurrent_activation stand for."""

_EXPRESSED = frozenset(
    {"reset_after", "reverse", "recurrent_dropout"}.union(*(name for both in _FUNCTIONS.values() for name in both))
)
"""Our keywords that Keras' constructors have under some name."""


def from_keras(
    kind: str,
    arrays: Sequence[Array] | Sequence[Sequence[Array]],
    *,
    bidirectional: bool = False,
    batch_first: bool = True,
    reset_after: bool | None = None,
    activation: Phi = "tanh",
    recurrent_activation: Phi = "sigmoid",
    **options: Any,
) -> Layer:
    """A layer with weights from Keras.

    Args:
        kind: "SimpleRNN", "LSTM" or "GRU".
        arrays: what `get_weights()` of a Keras layer gives: kernel [I, G*H], recurrent_kernel [H, G*H], and with
            biases one of [G*H], or [2, 3H] of a GRU with reset_after=True. For several layers, or two directions,
            one such list for each: layer 0 forward, layer 0 backward, layer 1 forward, ...
        bidirectional: whether every second list is that of a backward layer, the outputs side by side
            (merge_mode="concat").
        batch_first: as Keras has it; False for [T, B, ...].
        reset_after: of a GRU. It can be read from the biases; without them it must be said.
        activation: by Keras' name, or any callable; of an LSTM that of the candidate and of the output.
        recurrent_activation: that of the gates of an LSTM or GRU, likewise.
        **options: further keywords of our layer's constructor, such as `recurrent_dropout` (of a SimpleRNN: Keras' LSTM
            and GRU draw another mask for each gate) or `reverse`, which is Keras' go_backwards but for the order of the
            outputs: ours is that of time.

    Returns:
        An RNN, LSTM or GRU of the arrays' type. Keras' one bias becomes `bias_ih`, and `bias_hh` zero. Where Keras
        repeats the last output in masked steps, ours is zero.

    Raises:
        ConfigError: (a ValueError) an unknown kind, a wrong number of arrays, an activation that is not known, an
            option that Keras' layer has not, or reset_after missing or not that of the biases.
        ShapeError, DtypeError: if the arrays do not fit each other.

    >>> kernel, recurrent_kernel, bias = np.ones((3, 8)), np.ones((2, 8)), np.zeros(8)
    >>> from_keras("LSTM", [kernel, recurrent_kernel, bias])
    LSTM(3, 2, batch_first=True)
    """
    if kind not in _KINDS:
        raise ConfigError(f"kind should be one of {', '.join(_KINDS)}, got: {kind!r}")
    ours = _KINDS[kind]
    if reset_after is not None and ours != "GRU":
        raise ConfigError(f"{kind} has no reset_after")
    if recurrent_activation != "sigmoid" and ours == "RNN":
        raise ConfigError("SimpleRNN has no recurrent_activation")
    lists = _as_lists(arrays)
    _refuse_recurrent_dropout(ours, options.get("recurrent_dropout", 0.0))
    for names, given in zip(_FUNCTIONS[ours], (activation, recurrent_activation), strict=True):
        options |= dict.fromkeys(names, _activation(given))
    if ours == "GRU":
        options["reset_after"] = _reset_after(lists, reset_after)
    read = [_read(ours, each) for each in lists]
    return layer_from(ours, read, bidirectional=bidirectional, batch_first=batch_first, **options)


def to_keras(layer: Recurrent) -> list[list[Array]]:
    """The weights as Keras' `set_weights` takes them.

    Args:
        layer: an RNN, LSTM or GRU.

    Returns:
        One list for each layer and direction, as `from_keras` takes them: kernel, recurrent_kernel and, if the layer
        has biases, bias. Both biases are added up where Keras has one.

    Raises:
        ConfigError: (a ValueError) if the layer has an option that Keras' layers cannot express; its name is said.

    >>> [list(part.shape) for part in to_keras(GRU(3, 2))[0]]
    [[3, 6], [2, 6], [2, 6]]
    """
    kind = kind_of(layer)
    refuse_options(layer, "Keras", _EXPRESSED)
    _refuse_recurrent_dropout(kind, layer.recurrent_dropout)
    if isinstance(layer, LSTM) and as_function(layer.cell_activation) != as_function(layer.output_activation):
        raise ConfigError("Keras' LSTM has one activation; it cannot express cell_activation beside output_activation")
    apart = isinstance(layer, GRU) and layer.reset_after
    return [_written(kind, given, apart) for given in arrays_of(layer)]


def _as_lists(arrays: Sequence[Array] | Sequence[Sequence[Array]]) -> list[list[Array]]:
    """One list for each layer and direction, whether one or many were given."""
    one = len(arrays) > 0 and hasattr(arrays[0], "ndim")
    lists: Sequence[Sequence[Array]] = [arrays] if one else arrays  # type: ignore[assignment, list-item]
    return [[np.asarray(part) for part in each] for each in lists]


def _refuse_recurrent_dropout(kind: str, recurrent_dropout: float) -> None:
    if kind != "RNN" and recurrent_dropout:
        raise ConfigError(
            f"Keras' {kind} draws another mask for each gate; it cannot express recurrent_dropout={recurrent_dropout}"
        )


def _activation(activation: Phi) -> Phi:
    if not isinstance(activation, str):
        return activation
    if activation not in _ACTIVATIONS:
        raise ConfigError(
            f"activation {activation!r} of Keras is not known here; give a callable or one of {', '.join(_ACTIVATIONS)}"
        )
    return _ACTIVATIONS[activation]


def _reset_after(lists: Sequence[Sequence[Array]], asked: bool | None) -> bool:
    dimensions = {each[2].ndim for each in lists if len(each) == 3}
    if not dimensions:
        if asked is None:
            raise ConfigError("a GRU without biases does not show its reset_after: say reset_after=True or False")
        return asked
    if not dimensions <= {1, 2} or len(dimensions) != 1:
        raise ShapeError("the biases of a GRU should all be [2, 3H] (reset_after=True) or all [3H] (False)")
    found = dimensions == {2}
    if asked is not None and asked != found:
        raise ConfigError(f"reset_after={asked} does not fit the biases, which are those of reset_after={found}")
    return found


def _read(kind: str, given: Sequence[Array]) -> Arrays:
    if len(given) not in (2, 3):
        raise ConfigError(
            f"expected kernel and recurrent_kernel, and bias if there is one, for each layer and direction; got "
            f"{len(given)} arrays"
        )
    order = _ORDERS[kind]
    for name, part in zip(("kernel", "recurrent_kernel", "bias"), given, strict=False):
        both = name == "bias" and kind == "GRU" and part.shape[:-1] == (2,)
        if not (both or part.ndim == (1 if name == "bias" else 2)) or part.shape[-1] % GATES[kind]:
            raise ShapeError(f"{name} of Keras' {kind} should not have the shape {list(part.shape)}")
    w_ih, w_hh, *bias = (restored(part, order, -1) for part in given)
    if not bias:
        return Arrays(w_ih.T, w_hh.T)
    b_ih, b_hh = bias[0] if bias[0].ndim == 2 else (bias[0], np.zeros_like(bias[0]))
    return Arrays(w_ih.T, w_hh.T, b_ih, b_hh)


def _written(kind: str, given: Arrays, apart: bool) -> list[Array]:
    order = _ORDERS[kind]
    parts = [given.w_ih.T, given.w_hh.T]
    if given.b_ih is not None and given.b_hh is not None:
        parts.append(np.stack([given.b_ih, given.b_hh]) if apart else given.b_ih + given.b_hh)
    return [np.ascontiguousarray(reordered(part, order, -1)) for part in parts]
