"""A layer's weights as NumPy arrays, gates in any order, and a layer made from such arrays."""

import inspect
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recurra.errors import ConfigError, DtypeError, ShapeError
from recurra.kernels import ACTIVATIONS, PARTS, as_function
from recurra.nn._recurrent import Recurrent
from recurra.nn.gru import GRU
from recurra.nn.lstm import LSTM
from recurra.nn.rnn import RNN

Array: TypeAlias = npt.NDArray[np.floating]
Layer: TypeAlias = RNN | LSTM | GRU
Part = TypeVar("Part", bound=Array)

LAYERS: Mapping[str, type[Recurrent]] = MappingProxyType({"RNN": RNN, "LSTM": LSTM, "GRU": GRU})
GATES: Mapping[str, int] = MappingProxyType({"RNN": 1, "LSTM": 4, "GRU": 3})

_TYPES = MappingProxyType({"float16": torch.float16, "float32": torch.float32, "float64": torch.float64})
_NO_PART_OF_THE_EQUATION = frozenset(
    {"num_layers", "bias", "batch_first", "dropout", "bidirectional", "device", "dtype"}
    | {"backend", "initialization", "recompute", "forget_bias"}
)


class Arrays(NamedTuple):
    """The weights of one layer in one direction, in our gate order.

    Attributes:
        w_ih: [G*H, I].
        w_hh: [G*H, H].
        b_ih, b_hh: [G*H], both or neither.
        w_p: [3H], the peepholes of an LSTM's gates i f o, or None.
        h, c: [H], where a row begins: the learned state, or None.
    """

    w_ih: Array
    w_hh: Array
    b_ih: Array | None = None
    b_hh: Array | None = None
    w_p: Array | None = None
    h: Array | None = None
    c: Array | None = None


def kind_of(layer: object) -> str:
    """The name in `LAYERS` of a layer.

    Raises:
        ConfigError: if the layer is none of them.
    """
    for kind, layer_class in LAYERS.items():
        if isinstance(layer, layer_class):
            return kind
    raise ConfigError(f"expected an RNN, LSTM or GRU of recurra.nn, got: {type(layer).__name__}")


def refuse_options(layer: Recurrent, target: str, expressed: Collection[str]) -> None:
    """Refuse a layer with an option that changes its equation and that the other side cannot express.

    Args:
        layer: an RNN, LSTM or GRU.
        target: what cannot express it, for the message.
        expressed: the constructor's keywords that it can express.

    Raises:
        ConfigError: with the option's name.
    """
    for name, parameter in inspect.signature(LAYERS[kind_of(layer)]).parameters.items():
        if name in _NO_PART_OF_THE_EQUATION or name in expressed or parameter.default is parameter.empty:
            continue
        value = getattr(layer, name)
        if not _means_the_same(value, parameter.default):
            raise ConfigError(f"{target} cannot express {name}={value!r}")


def _means_the_same(value: Any, default: Any) -> bool:
    """Whether a keyword is left at its default; a name of an activation may be spelled in several ways."""
    if isinstance(default, str) and default in ACTIVATIONS:
        return as_function(value) == as_function(default)
    if isinstance(value, tuple | list):  # zoneout's shares
        return all(part == default for part in value)
    return bool(value == default)


def reordered(part: Array, order: Sequence[int], axis: int = 0) -> Array:
    """The G blocks of an axis in another order: block k of the result is block order[k] of the part."""
    blocks = np.split(part, len(order), axis)
    return np.concatenate([blocks[k] for k in order], axis)


def restored(part: Array, order: Sequence[int], axis: int = 0) -> Array:
    """Undo `reordered`."""
    return reordered(part, [list(order).index(k) for k in range(len(order))], axis)


def arrays_of(layer: Recurrent) -> list[Arrays]:
    """Copies of the weights: layer 0 forward, layer 0 reverse, layer 1 forward, ...

    Raises:
        DtypeError: if they are of a type that NumPy has not.
    """
    return [
        Arrays(*(None if part is None else as_array(part) for part in (*w[:4], w.w_p)))  # type: ignore[arg-type]
        for w in layer._weights()
    ]


def layer_from(kind: str, arrays: Sequence[Arrays], *, bidirectional: bool, batch_first: bool, **options: Any) -> Layer:
    """A layer with these weights, copied; it draws no random numbers.

    Args:
        kind: "RNN", "LSTM" or "GRU".
        arrays: of layer 0 forward, layer 0 reverse, layer 1 forward, ...
        bidirectional: as the constructor has it.
        batch_first: as the constructor has it.
        **options: further arguments of the constructor.

    Raises:
        ShapeError: if the arrays do not make such a layer; the message names the parameter.
        DtypeError: if they are not of one floating-point type.
        ConfigError: if there is none, or an odd number for two directions.
    """
    directions = 2 if bidirectional else 1
    if not arrays or len(arrays) % directions:
        raise ConfigError(f"expected weights for each layer and {directions} direction(s), got {len(arrays)}")
    first = arrays[0]
    if first.w_ih.ndim != 2 or first.w_hh.ndim != 2:
        raise ShapeError(f"weights should have 2 dimensions, got {first.w_ih.ndim} and {first.w_hh.ndim}")
    bias = any(a.b_ih is not None for a in arrays)
    sizes = first.w_ih.shape[1], first.w_hh.shape[1], len(arrays) // directions
    if any(part is not None for a in arrays for part in (a.h, a.c)):
        options["learned_state"] = True
    made: Any = LAYERS[kind](
        *sizes, bias=bias, bidirectional=bidirectional, batch_first=batch_first, device="meta",
        dtype=_torch_type(arrays), **options,
    )  # fmt: skip
    state = {}
    for names, given in zip(made._names, arrays, strict=True):
        for name, part in zip((*names[:4], *names[PARTS:]), _with_biases(given, bias)[:5], strict=False):
            if part is not None:
                state[name] = _fitting(name, part, getattr(made, name).shape)
    for names, given in zip(made._state_names, arrays, strict=False):
        for name, part in zip(names, (given.h, given.c), strict=False):
            state[name] = _fitting(
                name, np.zeros_like(given.w_hh[0]) if part is None else part, getattr(made, name).shape
            )
    made.load_state_dict(state, assign=True)
    layer: Layer = made
    return layer


def _with_biases(given: Arrays, bias: bool) -> Arrays:
    if not bias or given.b_ih is not None:
        return given
    return given._replace(b_ih=np.zeros_like(given.w_ih[:, 0]), b_hh=np.zeros_like(given.w_ih[:, 0]))


def _fitting(name: str, part: Array, shape: torch.Size) -> Tensor:
    if part.shape != tuple(shape):
        raise ShapeError(f"{name} should have the shape {list(shape)}, got {list(part.shape)}")
    return torch.from_numpy(np.array(part, order="C"))


def _torch_type(arrays: Sequence[Arrays]) -> torch.dtype:
    names = {part.dtype.name for given in arrays for part in given if part is not None}
    if len(names) != 1 or not names <= set(_TYPES):
        raise DtypeError(f"weights should be of one type of {', '.join(_TYPES)}, got: {', '.join(sorted(names))}")
    return _TYPES[names.pop()]


def as_array(part: Tensor) -> Array:
    """A copy of a parameter.

    Raises:
        DtypeError: if it is of a type that NumPy has not.
    """
    if part.dtype not in _TYPES.values():
        raise DtypeError(f"weights should be of a type of {', '.join(_TYPES)}, got {part.dtype}; convert the layer")
    copied: Array = part.detach().cpu().numpy().copy()
    return copied
