"""One RNN, LSTM or GRU operator of ONNX as plain values, and the layer's arguments that say the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError, ShapeError
from recurra.kernels import USUAL, Activation, Phi
from recurra.nn.exchange._arrays import GATES, Array, Arrays, restored
from recurra.nn.exchange._conventions import DEFAULTS, ORDERS, PEEPHOLES, import_onnx

Constant = Callable[[str], npt.NDArray[Any] | None]
"""Name of a value -> its numbers where they are fixed, None where they are known only in a call."""


def _none(_: str) -> None:
    """No state is made by a node that stands alone."""


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
    """

    kind: str
    name: str
    attributes: Mapping[str, Any]
    inputs: Mapping[str, str]
    outputs: tuple[str, ...]
    activations: tuple[tuple[Activation, ...], ...]
    weights: tuple[Arrays, ...]

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


def read_operator(node: Any, constant: Constant, begins: Constant = _none) -> Operator:
    """Read a node.

    Args:
        node: a NodeProto of type RNN, LSTM or GRU.
        constant: where the numbers of its weights are.
        begins: name of a state -> its numbers where the model makes them itself, the same in every call but for the
            number of rows; None for zeros, and for what a call brings.

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
        _beginning(
            name, _weights(kind, name, inputs, constant, directions), inputs, begins, attributes.get("layout", 0)
        ),
    )


def layer_arguments(operator: Operator) -> dict[str, object]:
    """The keywords of the constructor, besides sizes, that make the layer which computes the same.

    Raises:
        ConfigError: with the name of the attribute or input that our layer has not.
    """
    missing = [name for name, is_used in LACKING.items() if is_used(operator)]
    if missing:
        raise ConfigError(f"{operator.name}: our {operator.kind} has no {', '.join(missing)}")
    clip = operator.attributes.get("clip")
    common = {"clip": None if clip is None else _short(clip), "reverse": operator.direction == "reverse"}
    functions = [phi.name if phi.is_usual else phi for phi in operator.activations[0]]
    return common | _ARGUMENTS[operator.kind](operator, functions)


LACKING: Mapping[str, Callable[[Operator], bool]] = MappingProxyType(
    {"activations that differ between directions": lambda o: len(set(o.activations)) > 1}
)
"""What the operators can say and our layers cannot, and how it is seen. A layer that learns it loses its line here and
gains a keyword below."""


def _of_lstm(operator: Operator, functions: Sequence[Phi]) -> dict[str, object]:
    return {
        **dict(zip(("gate_activation", "cell_activation", "output_activation"), functions, strict=True)),
        "coupling": "input" if operator.attributes.get("input_forget", 0) else None,
        "peephole": operator.weights[0].w_p is not None,
    }


def _of_gru(operator: Operator, functions: Sequence[Phi]) -> dict[str, object]:
    reset_after = bool(operator.attributes.get("linear_before_reset", 0))
    return {"gate_activation": functions[0], "candidate_activation": functions[1], "reset_after": reset_after}


_ARGUMENTS: Mapping[str, Callable[[Operator, Sequence[Phi]], dict[str, object]]] = MappingProxyType(
    {"RNN": lambda _, functions: {"nonlinearity": functions[0]}, "LSTM": _of_lstm, "GRU": _of_gru}
)


def _plain(value: Any) -> Any:
    """Attributes as Python's text and numbers rather than bytes."""
    if isinstance(value, bytes):
        return value.decode()
    return tuple(_plain(part) for part in value) if isinstance(value, list | tuple) else value


def _activations(
    kind: str, name: str, attributes: Mapping[str, Any], directions: int
) -> tuple[tuple[Activation, ...], ...]:
    """f, g, h of each direction; each takes alpha and beta, if it has them, from the lists in turn (onnxruntime)."""
    usual = USUAL[kind.lower()]
    many, spelled = len(usual), attributes.get("activations")
    if not spelled:
        return (usual,) * directions
    if len(spelled) != many * directions:
        raise ConfigError(f"{name}: expected {many * directions} activations, got {len(spelled)}")
    alphas, betas = (list(attributes.get(f"activation_{which}", ())) for which in ("alpha", "beta"))
    read = []
    for each in spelled:
        default = DEFAULTS.get(each.lower())
        if default is None:
            raise ConfigError(f"{name}: ONNX has no activation {each!r}")
        alpha, beta = (
            _short(values.pop(0)) if number is not None and values else number
            for number, values in ((default.alpha, alphas), (default.beta, betas))
        )
        read.append(Activation(default.name, alpha, beta))
    if alphas or betas:
        raise ConfigError(f"{name}: more values of activation_alpha or activation_beta than {', '.join(spelled)} have")
    return tuple(tuple(read[at : at + many]) for at in range(0, len(read), many))


def _short(number: float) -> float:
    """A float32 of an attribute as the number that was meant: 0.2 rather than 0.20000000298."""
    return float(str(np.float32(number)))


def _weights(
    kind: str, name: str, inputs: Mapping[str, str], constant: Constant, directions: int
) -> tuple[Arrays, ...]:
    W, R = (_fixed(name, which, inputs, constant) for which in ("W", "R"))
    H, gates, order = R.shape[-1], GATES[kind], ORDERS[kind]
    if W.ndim != 3 or W.shape[:2] != (directions, gates * H) or R.shape != (directions, gates * H, H):
        raise ShapeError(
            f"{name}: W {list(W.shape)} and R {list(R.shape)} should be [D, {gates}*H, I] and [D, {gates}*H, H]"
        )
    read = [Arrays(restored(w, order), restored(r, order)) for w, r in zip(W, R, strict=True)]
    if "B" in inputs:
        B = _fixed(name, "B", inputs, constant)
        if B.shape != (directions, 2 * gates * H):
            raise ShapeError(f"{name}: B should be [D, 2*{gates}*H], got {list(B.shape)}")
        biases = [[restored(half, order) for half in np.split(each, 2)] for each in B]
        read = [given._replace(b_ih=wb, b_hh=rb) for given, (wb, rb) in zip(read, biases, strict=True)]
    if "P" in inputs:
        P = _fixed(name, "P", inputs, constant)
        if P.shape != (directions, 3 * H):
            raise ShapeError(f"{name}: P should be [D, 3*H], got {list(P.shape)}")
        read = [given._replace(w_p=restored(p, PEEPHOLES)) for given, p in zip(read, P, strict=True)]
    return tuple(read)


def _beginning(
    name: str, weights: tuple[Arrays, ...], inputs: Mapping[str, str], begins: Constant, layout: int
) -> tuple[Arrays, ...]:
    """The weights with the first state that the model itself gives to every row."""
    for which, field in (("initial_h", "h"), ("initial_c", "c")):
        found = begins(inputs[which]) if which in inputs else None
        if found is None:
            continue
        rows = found if layout else found.transpose(1, 0, 2)
        if not (rows == rows[:1]).all():
            raise ConfigError(f"{name}: the rows of {which} begin in states of their own, which a layer does not hold")
        weights = tuple(w._replace(**{field: part}) for w, part in zip(weights, rows[0], strict=True))
    return weights


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
