"""One RNN, LSTM or GRU operator of ONNX as plain values, and the layer's arguments that say the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError, ShapeError
from recurra.nn.exchange._arrays import GATES, Array, Arrays, restored
from recurra.nn.exchange._conventions import DEFAULTS, ORDERS, USUAL, Activation, import_onnx

Constant = Callable[[str], npt.NDArray[Any] | None]
"""Name of a value -> its numbers where they are fixed, None where they are known only in a call."""

_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
_ATTRIBUTES = frozenset(
    {"activations", "activation_alpha", "activation_beta", "clip", "direction", "hidden_size", "layout"}
    | {"linear_before_reset", "input_forget"}
)


@dataclass(frozen=True)
class Operator:
    """What a node says.

    Attributes:
        kind: "RNN", "LSTM" or "GRU".
        name: for messages.
        attributes: as the node has them.
        inputs: the operator's name of an input -> the graph's, of those that are given.
        outputs: the graph's names.
        activations: of each direction, f, g, h.
        weights: of each direction, in our gate order.
        peepholes: P, or None.
    """

    kind: str
    name: str
    attributes: Mapping[str, Any]
    inputs: Mapping[str, str]
    outputs: tuple[str, ...]
    activations: tuple[tuple[Activation, ...], ...]
    weights: tuple[Arrays, ...]
    peepholes: Array | None

    @property
    def direction(self) -> str:
        """The attribute: "forward", "reverse" or "bidirectional"."""
        return str(self.attributes.get("direction", "forward"))

    @property
    def batch_first(self) -> bool:
        """Whether the attribute layout is 1."""
        return bool(self.attributes.get("layout", 0))

    @property
    def meaning(self) -> tuple[object, ...]:
        """What must agree for several operators to be one stack of layers."""
        named = {name: self.attributes.get(name) for name in ("clip", "linear_before_reset", "input_forget")}
        rows = self.weights[0].w_hh.shape
        lengths = self.inputs.get("sequence_lens")
        return self.kind, self.direction, self.batch_first, self.activations, rows, lengths, *named.values()


def read_operator(node: Any, constant: Constant) -> Operator:
    """Read a node.

    Args:
        node: a NodeProto of type RNN, LSTM or GRU.
        constant: where the numbers of its weights are.

    Raises:
        ConfigError: if it is another node, has an attribute or an activation that the operator does not have, weights
            that are known only in a call, or a fixed state or fixed lengths, which a layer does not hold.
        ShapeError: if W, R, B or P do not fit each other.
    """
    onnx = import_onnx()
    kind, name = node.op_type, node.name or node.op_type
    if kind not in GATES or node.domain not in ("", "ai.onnx"):
        raise ConfigError(f"expected an operator RNN, LSTM or GRU, got: {node.domain or 'ai.onnx'}.{kind}")
    attributes = {a.name: _plain(onnx.helper.get_attribute_value(a)) for a in node.attribute}
    unknown = sorted(set(attributes) - _ATTRIBUTES)
    if unknown:
        raise ConfigError(f"{name}: the operator {kind} has no attribute {', '.join(unknown)}")
    inputs = {known: given for known, given in zip(_INPUTS, node.input, strict=False) if given}
    _refuse_fixed_arguments(name, inputs, constant)
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    return Operator(
        kind,
        name,
        attributes,
        inputs,
        tuple(node.output),
        _activations(kind, name, attributes, directions),
        _weights(kind, name, inputs, constant, directions),
        None if "P" not in inputs else _fixed(name, "P", inputs, constant),
    )


def layer_arguments(operator: Operator) -> dict[str, object]:
    """The keywords of the constructor, besides sizes, that make the layer which computes the same.

    Raises:
        ConfigError: with the name of the attribute or input that our layer has not.
    """
    missing = [name for name, is_used in LACKING.items() if is_used(operator)]
    if missing:
        raise ConfigError(f"{operator.name}: our {operator.kind} has no {', '.join(missing)}")
    return _ARGUMENTS[operator.kind](operator)


LACKING: Mapping[str, Callable[[Operator], bool]] = MappingProxyType(
    {
        "direction=reverse": lambda o: o.direction == "reverse",
        "activations": lambda o: o.kind != "RNN" and any(each != USUAL[o.kind] for each in o.activations),
        "activation_alpha": lambda o: _differs_from_default(o, 1),
        "activation_beta": lambda o: _differs_from_default(o, 2),
        "activations that differ between directions": lambda o: len(set(o.activations)) > 1,
        "clip": lambda o: o.attributes.get("clip") is not None,
        "input_forget": lambda o: bool(o.attributes.get("input_forget", 0)),
        "P (peepholes)": lambda o: o.peepholes is not None,
    }
)
"""What the operators can say and our layers cannot, and how it is seen. A layer that learns it loses its line here and
gains a keyword below."""

_ARGUMENTS: Mapping[str, Callable[[Operator], dict[str, object]]] = MappingProxyType(
    {
        "RNN": lambda o: {"nonlinearity": o.activations[0][0].name},
        "LSTM": lambda _: {},
        "GRU": lambda o: {"reset_after": bool(o.attributes.get("linear_before_reset", 0))},
    }
)


def _differs_from_default(operator: Operator, field: int) -> bool:
    defaults = {a.name: a for a in DEFAULTS.values()}
    return any(not _alike(a[field], defaults[a.name][field]) for each in operator.activations for a in each)


def _alike(given: Any, default: Any) -> bool:
    return given == default or (given is not None and default is not None and np.float32(given) == np.float32(default))


def _plain(value: Any) -> Any:
    """Attributes as Python's text and numbers rather than bytes."""
    if isinstance(value, bytes):
        return value.decode()
    return tuple(_plain(part) for part in value) if isinstance(value, list | tuple) else value


def _activations(
    kind: str, name: str, attributes: Mapping[str, Any], directions: int
) -> tuple[tuple[Activation, ...], ...]:
    """f, g, h of each direction; each takes alpha and beta, if it has them, from the lists in turn (onnxruntime)."""
    many = len(USUAL[kind])
    spelled = attributes.get("activations")
    if not spelled:
        return (USUAL[kind],) * directions
    if len(spelled) != many * directions:
        raise ConfigError(f"{name}: expected {many * directions} activations, got {len(spelled)}")
    alphas, betas = (list(attributes.get(f"activation_{which}", ())) for which in ("alpha", "beta"))
    read = []
    for each in spelled:
        default = DEFAULTS.get(each.lower())
        if default is None:
            raise ConfigError(f"{name}: ONNX has no activation {each!r}")
        alpha, beta = (
            values.pop(0) if usual is not None and values else usual
            for usual, values in ((default.alpha, alphas), (default.beta, betas))
        )
        read.append(Activation(default.name, alpha, beta))
    if alphas or betas:
        raise ConfigError(f"{name}: more values of activation_alpha or activation_beta than {', '.join(spelled)} have")
    return tuple(tuple(read[at : at + many]) for at in range(0, len(read), many))


def _weights(
    kind: str, name: str, inputs: Mapping[str, str], constant: Constant, directions: int
) -> tuple[Arrays, ...]:
    W, R = (_fixed(name, which, inputs, constant) for which in ("W", "R"))
    H, gates, order = R.shape[-1], GATES[kind], ORDERS[kind]
    if W.ndim != 3 or W.shape[:2] != (directions, gates * H) or R.shape != (directions, gates * H, H):
        raise ShapeError(
            f"{name}: W {list(W.shape)} and R {list(R.shape)} should be [D, {gates}*H, I] and [D, {gates}*H, H]"
        )
    if "B" not in inputs:
        return tuple(Arrays(restored(w, order), restored(r, order)) for w, r in zip(W, R, strict=True))
    B = _fixed(name, "B", inputs, constant)
    if B.shape != (directions, 2 * gates * H):
        raise ShapeError(f"{name}: B should be [D, 2*{gates}*H], got {list(B.shape)}")
    biases = np.split(B, 2, axis=1)
    return tuple(Arrays(*(restored(part, order) for part in parts)) for parts in zip(W, R, *biases, strict=True))


def _fixed(name: str, which: str, inputs: Mapping[str, str], constant: Constant) -> Array:
    found = constant(inputs[which]) if which in inputs else None
    if found is None:
        raise ConfigError(f"{name}: the numbers of {which} are not in the model or the initialisers")
    return found


def _refuse_fixed_arguments(name: str, inputs: Mapping[str, str], constant: Constant) -> None:
    for which, keyword in (("initial_h", "hx"), ("initial_c", "hx"), ("sequence_lens", "lengths")):
        found = constant(inputs[which]) if which in inputs else None
        if found is not None and (which == "sequence_lens" or np.any(found)):
            raise ConfigError(
                f"{name}: {which} is a constant of the model, which a layer does not hold; take it out and hand it to "
                f"each call as {keyword}="
            )
