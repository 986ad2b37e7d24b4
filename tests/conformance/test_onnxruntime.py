"""onnxruntime as oracle: operators with random weights, read by from_onnx, compute what onnxruntime computes.

The nodes are made here, without `to_onnx`; what the layer then writes is run by onnxruntime too. One difference is
known and allowed for: a row of length 0 has a last state of zeros in onnxruntime, and its initial state here.
"""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from onnx import helper, numpy_helper

from recurra.nn.exchange import from_onnx, to_onnx
from tests.onnx_sessions import session
from tests.tolerances import Tolerance, assert_agrees

pytestmark = pytest.mark.conformance
BOUND = Tolerance(1e-5, 1e-5)
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
ACTIVATIONS: dict[str, tuple[float | None, float | None]] = {
    "Tanh": (None, None),
    "Relu": (None, None),
    "Sigmoid": (None, None),
    "Affine": (1.0, 0.0),
    "LeakyRelu": (0.01, None),
    "ThresholdedRelu": (1.0, None),
    "ScaledTanh": (1.0, 1.0),
    "HardSigmoid": (0.2, 0.5),
    "Elu": (1.0, None),
    "Softsign": (None, None),
    "Softplus": (None, None),
}
"""ONNX's list, with the alpha and beta that each has, at ONNX's default, said aloud."""


NUMBERS = {"Affine": (0.7, 0.1), "LeakyRelu": (0.2, None), "ThresholdedRelu": (0.3, None), "ScaledTanh": (0.8, 0.9)} | {
    "HardSigmoid": (0.3, 0.4),
    "Elu": (0.6, None),
}
"""Other numbers for those that have them."""
GATES_OF = {"GRU": ("Sigmoid", "HardSigmoid"), "LSTM": ("Sigmoid", "HardSigmoid", "Tanh", "ScaledTanh", "Softsign")}
"""Activations of gates that keep a recurrence from growing without bound."""


class Case(NamedTuple):
    """What an operator is made of."""

    kind: str
    variant: str
    bidirectional: bool
    bias: bool
    lengths: bool
    state: bool
    seed: int

    @property
    def id(self) -> str:
        marks = [name for name, on in zip(self._fields[2:6], self[2:6], strict=True) if on]
        return "-".join([self.kind, *([self.variant] if self.variant else []), *marks, str(self.seed)])


def cases() -> list[Case]:
    """Every combination: the RNN with each activation once, the gated ones at four sizes, each with random options."""
    flags = list(product((False, True), repeat=4))
    variants = [("RNN", name, 1) for name in ACTIVATIONS]
    variants += [("LSTM", "", 4), ("GRU", "before", 4), ("GRU", "after", 4)]
    variants += [("RNN", "options", 4), ("LSTM", "options", 8), ("GRU", "options", 8)]
    return [Case(kind, variant, *on, seed) for kind, variant, many in variants for on in flags for seed in range(many)]


CASES = cases()


def test_there_are_as_many_as_the_issue_asks() -> None:
    assert len(CASES) >= 300


def attributes(case: Case, hidden_size: int) -> dict[str, Any]:
    directions = 2 if case.bidirectional else 1
    said: dict[str, Any] = {"hidden_size": hidden_size, "direction": "bidirectional" if directions == 2 else "forward"}
    if case.kind == "GRU":
        said["linear_before_reset"] = int(case.variant == "after")
    if case.kind == "RNN" and case.variant != "options":
        said["activations"] = [case.variant] * directions
        for name, value in zip(("alpha", "beta"), ACTIVATIONS[case.variant], strict=True):
            if value is not None:
                said[f"activation_{name}"] = [value] * directions
    return said


def random_options(case: Case, rng: np.random.Generator) -> dict[str, Any]:
    """Any activations with any numbers, clip, both GRUs, tied gates, reverse; the same for both directions."""
    directions = 2 if case.bidirectional else 1
    of_gates = [] if case.kind == "RNN" else [rng.choice(GATES_OF[case.kind])]
    names = [*of_gates, *rng.choice(list(ACTIVATIONS), 2 if case.kind == "LSTM" else 1)] * directions
    values = [NUMBERS.get(name, (None, None)) for name in names]
    said: dict[str, Any] = {"activations": [str(name) for name in names]}
    for k, which in enumerate(("alpha", "beta")):
        if given := [value[k] for value in values if value[k] is not None]:
            said[f"activation_{which}"] = given
    if rng.random() < 0.6:
        said["clip"] = float(rng.choice([0.3, 0.8, 2.0]))
    if case.kind == "GRU":
        said["linear_before_reset"] = int(rng.integers(2))
    if case.kind == "LSTM":
        said["input_forget"] = int(rng.integers(2))
    if not case.bidirectional and rng.random() < 0.5:
        said["direction"] = "reverse"
    return said


def operator(case: Case, rng: np.random.Generator, inputs: int, hidden_size: int) -> Any:
    """A model of one node, weights drawn so that no recurrence grows without bound."""
    directions, rows = 2 if case.bidirectional else 1, GATES[case.kind] * hidden_size
    shapes = {"W": (directions, rows, inputs), "R": (directions, rows, hidden_size)}
    shapes |= {"B": (directions, 2 * rows)} if case.bias else {}
    bound = 1.5 / np.sqrt(hidden_size)
    fixed = [
        numpy_helper.from_array(rng.uniform(-bound, bound, shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    parts = ["h", "c"] if case.kind == "LSTM" else ["h"]
    names = ["X", "W", "R", "B" if case.bias else "", "lengths" if case.lengths else ""]
    names += [f"initial_{part}" for part in parts] if case.state else []
    info = helper.make_tensor_value_info
    given = [info("X", 1, ["T", "B", inputs]), *([info("lengths", 6, ["B"])] if case.lengths else [])]
    given += [info(f"initial_{part}", 1, [directions, "B", hidden_size]) for part in parts] if case.state else []
    made = ["Y", *(f"Y_{part}" for part in parts)]
    said = attributes(case, hidden_size)
    if case.variant == "options":
        said |= random_options(case, rng)
        if case.kind == "LSTM" and rng.random() < 0.7:
            fixed.append(numpy_helper.from_array(rng.uniform(-1, 1, (directions, 3 * hidden_size)).astype("f4"), "P"))
            names += [""] * (7 - len(names)) + ["P"]
    node = helper.make_node(case.kind, names, made, **said)
    graph = helper.make_graph([node], "oracle", given, [info(name, 1, None) for name in made], fixed)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def draw_call(
    case: Case, rng: np.random.Generator, sizes: tuple[int, int, int, int]
) -> tuple[torch.Tensor, torch.Tensor | None, list[torch.Tensor] | None]:
    """x [T, B, I], lengths with zeros among them, and the initial state."""
    batch, time, inputs, hidden_size = sizes
    x = torch.from_numpy(rng.standard_normal((time, batch, inputs)).astype(np.float32))
    lengths = torch.from_numpy(rng.integers(0, time + 1, batch).astype(np.int32)) if case.lengths else None
    shape = (2 if case.bidirectional else 1, batch, hidden_size)
    parts = [rng.uniform(-1, 1, shape).astype(np.float32) for _ in range(2 if case.kind == "LSTM" else 1)]
    return x, lengths, [torch.from_numpy(part) for part in parts] if case.state else None


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_an_operator_with_random_weights(case: Case) -> None:
    rng = np.random.default_rng([case.seed, *map(int, case[2:6]), *case.id.encode()])
    inputs, hidden_size = (int(size) for size in rng.integers(1, 20, 2))
    model = operator(case, rng, inputs, hidden_size)
    layer = from_onnx(model)
    if case.variant == "options":
        layer.backend = rng.choice(["auto", "reference"])
    oracle, ours = session(model), session(to_onnx(layer, state=case.state, lengths=case.lengths))
    for _ in range(2):
        batch, time = (int(size) for size in rng.integers(1, 12, 2))
        x, lengths, state = draw_call(case, rng, (batch, time, inputs, hidden_size))
        ends = {} if lengths is None else {"lengths": lengths}
        begins = {} if state is None else dict(zip(("initial_h", "initial_c"), state, strict=False))
        y, *last = oracle(X=x, **ends, **begins).values()
        if lengths is not None and state is not None:
            last = [torch.where(lengths[:, None] == 0, old, new) for old, new in zip(state, last, strict=True)]
        expected = [y.transpose(1, 2).flatten(2), *last]
        with torch.no_grad():
            hx = None if state is None else tuple(state) if case.kind == "LSTM" else state[0]
            found, after = layer(x, hx, lengths=lengths)
        assert_agrees([found, *(after if isinstance(after, tuple) else [after])], expected, BOUND, "the layer")
        begins = {f"{name[-1]}_0": part for name, part in begins.items()}
        assert_agrees(list(ours(x=x, **ends, **begins).values()), expected, BOUND, "what the layer writes")
