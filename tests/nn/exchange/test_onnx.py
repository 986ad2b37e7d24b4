"""Layers to and from ONNX: every export is run by onnxruntime, at sizes it was not written for."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import recurra.nn
from recurra.errors import ConfigError, DtypeError, MissingExtraError, ShapeError, StreamingUnsupported
from recurra.nn.exchange import from_onnx, to_onnx
from tests.onnx_sessions import session
from tests.tolerances import EXACT, Tolerance, assert_agrees

I, H = 3, 5  # noqa: E741  the equations' own symbols
SIZES = [(1, 1), (4, 7), (3, 19)]
"""Batch and time that the exports are run at."""
NEAR = Tolerance(1e-5, 1e-5)
"""Two float32 implementations, as the issue asks."""

HARD = recurra.nn.Activation("hard_sigmoid", alpha=0.3, beta=0.4)
SCALED = recurra.nn.Activation("scaled_tanh", alpha=0.7, beta=1.2)

KINDS: dict[str, Callable[..., Any]] = {
    "RNN": recurra.nn.RNN,
    "RNN elu": lambda *args, **kw: recurra.nn.RNN(*args, nonlinearity="elu", **kw),
    "LSTM": recurra.nn.LSTM,
    "GRU": recurra.nn.GRU,
    "GRU before": lambda *args, **kw: recurra.nn.GRU(*args, reset_after=False, **kw),
    "RNN hard": lambda *args, **kw: recurra.nn.RNN(*args, nonlinearity=HARD, clip=0.7, **kw),
    "LSTM options": lambda *args, **kw: recurra.nn.LSTM(
        *args, peephole=True, coupling="input", clip=0.9, cell_activation="softsign", output_activation=SCALED, **kw
    ),
    "GRU options": lambda *args, **kw: recurra.nn.GRU(
        *args, gate_activation=HARD, candidate_activation=SCALED, clip=0.8, **kw
    ),
}
kinds = pytest.mark.parametrize("kind", list(KINDS))


def make(kind: str, *args: object, **kwargs: object) -> Any:
    torch.manual_seed(0)
    return KINDS[kind](I, H, *args, **kwargs)


def inputs(layer: Any, batch: int, time: int, with_lengths: bool, with_state: bool) -> tuple[dict, tuple, Any]:
    """What onnxruntime and the layer are fed: names -> tensors, and the same as the layer takes it."""
    torch.manual_seed(batch + time)
    x = torch.randn((batch, time, I) if layer.batch_first else (time, batch, I))
    lengths = torch.tensor([time, *(k % (time + 1) for k in range(batch - 1))], dtype=torch.int32)
    parts = [
        torch.randn(len(layer.all_weights), batch, H) for _ in range(2 if isinstance(layer, recurra.nn.LSTM) else 1)
    ]
    given = {"x": x} | ({"lengths": lengths} if with_lengths else {})
    given |= {f"{name}_0": part for name, part in zip("hc", parts, strict=False)} if with_state else {}
    state = None if not with_state else tuple(parts) if len(parts) == 2 else parts[0]
    return given, (x, state), lengths.long() if with_lengths else None


def flat(output: torch.Tensor, state: Any) -> list[torch.Tensor]:
    return [output, *state] if isinstance(state, tuple) else [output, state]


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 3])
@kinds
def test_an_export_computes_the_same(
    kind: str, num_layers: int, bidirectional: bool, state: bool, lengths: bool
) -> None:
    """The expected numbers are onnxruntime's; rows of length 0 keep their initial state in the export too."""
    layer = make(kind, num_layers, bidirectional=bidirectional, batch_first=state)
    run = session(to_onnx(layer, state=state, lengths=lengths))
    for batch, time in SIZES:
        given, (x, before), steps = inputs(layer, batch, time, lengths, state)
        with torch.no_grad():
            found = flat(*layer(x, before, lengths=steps))
        assert_agrees(found, list(run(**given).values()), NEAR, f"{batch} rows, {time} steps")


@kinds
def test_layers_without_biases(kind: str) -> None:
    layer = make(kind, 2, bias=False)
    given, (x, _), _ = inputs(layer, 4, 7, False, False)
    with torch.no_grad():
        assert_agrees(flat(*layer(x)), list(session(to_onnx(layer))(**given).values()), NEAR)


@pytest.mark.parametrize("batch_first", [False, True])
@kinds
def test_steps_of_a_single_step_graph_are_those_of_the_layer(kind: str, batch_first: bool) -> None:
    layer = make(kind, 2, batch_first=batch_first)
    run = session(to_onnx(layer, single_step=True))
    for batch in (1, 2, 5):
        torch.manual_seed(batch)
        state = None
        carried = {f"{name}_0": torch.zeros(2, batch, H) for name in ("h", "c")[: len(layer._state_widths)]}
        for x in torch.randn(4, batch, I):
            with torch.no_grad():
                y, state = layer.step(x, state)
            found = run(x=x, **carried)
            carried = {name.replace("_n", "_0"): part for name, part in found.items() if name != "output"}
            assert_agrees(flat(y, state), list(found.values()), NEAR)


@pytest.mark.parametrize("batch_first", [False, True])
@kinds
def test_layout_1(kind: str, batch_first: bool) -> None:
    """onnxruntime has no layout 1: the expected numbers are those of ONNX's own reference, in one direction."""
    layer = make(kind, 2, batch_first=batch_first)
    model = to_onnx(layer, layout=1, state=True)
    assert {a.i for node in model.graph.node for a in node.attribute if a.name == "layout"} == {1}
    given, (x, before), _ = inputs(layer, 4, 7, False, True)
    if kind in ("RNN", "LSTM", "GRU", "GRU before"):  # the reference has no other activations, and no clip
        expected = ReferenceEvaluator(model).run(None, {name: value.numpy() for name, value in given.items()})
        with torch.no_grad():
            assert_agrees(flat(*layer(x, before)), [torch.from_numpy(part) for part in expected], NEAR)
    assert from_onnx(model).batch_first


@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@kinds
def test_what_goes_out_comes_back(kind: str, bias: bool, bidirectional: bool, layout: int, tmp_path: Path) -> None:
    layer = make(kind, 3, bias=bias, bidirectional=bidirectional)
    path = tmp_path / "layer.onnx"
    to_onnx(layer, path, layout=layout)
    back = from_onnx(path, batch_first=False)
    assert repr(back) == repr(layer)
    assert_agrees(list(back.state_dict().values()), list(layer.state_dict().values()), EXACT)
    assert list(back.state_dict()) == list(layer.state_dict())


def test_a_single_step_graph_comes_back_too() -> None:
    layer = make("GRU", 2)
    assert_agrees(from_onnx(to_onnx(layer, single_step=True)).state_dict()["weight_hh_l1"], layer.weight_hh_l1, EXACT)


SCANS: list[tuple[str, dict[str, Any]]] = [
    ("LSTM", {"proj_size": 2}),
    ("LSTM", {"layer_norm": "ba", "gate_activation": "hard_sigmoid"}),
    ("LSTM", {"layer_norm": "fastrnns", "zoneout": (0.1, 0.2), "cell_activation": SCALED}),
    ("LSTM", {"layer_norm": "tflite", "peephole": True, "coupling": "forget", "clip": 0.9, "bias": False}),
    ("LSTM", {"cell_clip": 0.4, "coupling": "input", "proj_size": 3, "projection_clip": 0.2}),
    ("GRU", {"zoneout": 0.3, "reset_after": False, "gate_activation": HARD, "clip": 0.8}),
    ("GRU", {"zoneout": 0.3, "candidate_activation": recurra.nn.Activation("affine", alpha=0.4, beta=0.1)}),
    ("RNN", {"zoneout": 0.2, "nonlinearity": "elu", "clip": 0.5}),
]
"""Layers with options that ONNX's operators lack."""


def with_random_weights(kind: str, options: dict[str, Any], **more: Any) -> Any:
    torch.manual_seed(0)
    layer = getattr(recurra.nn, kind)(I, H, 2, **options, **more).eval()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.5)
    return layer


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning")
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("way", [{}, {"bidirectional": True}, {"reverse": True}], ids=["forward", "both", "reverse"])
@pytest.mark.parametrize(("kind", "options"), SCANS)
def test_what_the_operators_lack_is_exported_as_a_scan(
    kind: str, options: dict[str, Any], way: dict[str, bool], lengths: bool
) -> None:
    """The expected numbers are onnxruntime's, of Scan and elementary operators; rows of length 0 keep their state."""
    layer = with_random_weights(kind, options, **way, batch_first=lengths, learned_state=not lengths)
    model = to_onnx(layer, state=lengths, lengths=lengths)
    assert "Scan" in {each.op_type for each in model.graph.node}
    run = session(model)
    for batch, time in SIZES:
        torch.manual_seed(batch)
        x = torch.randn((batch, time, I) if lengths else (time, batch, I))
        given, state, steps = {"x": x}, None, None
        if lengths:
            steps = torch.tensor([time, *(k % (time + 1) for k in range(batch - 1))], dtype=torch.int32)
            parts = [torch.randn(len(layer.all_weights), batch, width) for width in layer._state_widths]
            given |= {"lengths": steps} | {f"{name}_0": part for name, part in zip("hc", parts, strict=False)}
            state = tuple(parts) if len(parts) > 1 else parts[0]
        with torch.no_grad():
            found = flat(*layer(x, state, lengths=steps))
        assert_agrees(found, list(run(**given).values()), NEAR, f"{batch} rows, {time} steps")
    with pytest.raises(ConfigError, match="no operator RNN, LSTM or GRU in its main graph; it has Scan"):
        from_onnx(model)


@pytest.mark.parametrize(("kind", "options"), SCANS)
def test_single_steps_of_what_the_operators_lack(kind: str, options: dict[str, Any]) -> None:
    layer = with_random_weights(kind, options)
    run = session(to_onnx(layer, single_step=True))
    state = None
    carried = {f"{n}_0": torch.zeros(2, 3, w) for n, w in zip("hc", layer._state_widths, strict=False)}
    for x in torch.randn(4, 3, I):
        with torch.no_grad():
            y, state = layer.step(x, state)
        found = run(x=x, **carried)
        carried = {name.replace("_n", "_0"): part for name, part in found.items() if name != "output"}
        assert_agrees(flat(y, state), list(found.values()), NEAR)


def test_recurrent_dropout_is_not_part_of_a_model() -> None:
    layer = make("LSTM", recurrent_dropout=0.5)
    run = session(to_onnx(layer))
    given, (x, _), _ = inputs(layer, 4, 7, False, False)
    with torch.no_grad():
        assert_agrees(flat(*layer.eval()(x)), list(run(**given).values()), NEAR)


def test_float64_stays() -> None:
    layer = make("LSTM", dtype=torch.float64)
    assert_agrees(from_onnx(to_onnx(layer)).weight_ih_l0, layer.weight_ih_l0, EXACT)


def weights(gates: int, directions: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = {"W": (directions, gates * H, I), "R": (directions, gates * H, H), "B": (directions, 2 * gates * H)}
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def node(kind: str, *more: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, ["X", "W", "R", "B", *more], ["Y", "Y_h"], name="net", hidden_size=H, **attributes)


def test_a_node_with_its_initialisers() -> None:
    """Arrays by name, or ONNX's tensors: the gates of GRU are z r h there and r z n here."""
    given = weights(3)
    by_name = from_onnx(node("GRU"), given)
    tensors = from_onnx(node("GRU"), [numpy_helper.from_array(part, name) for name, part in given.items()])
    assert not by_name.reset_after
    assert_agrees(by_name.weight_hh_l0[:H].detach(), torch.from_numpy(given["R"][0, H : 2 * H]), EXACT)
    assert_agrees(list(tensors.state_dict().values()), list(by_name.state_dict().values()), EXACT)


def test_activations_that_differ_between_directions_are_refused_by_name() -> None:
    two_ways = node("RNN", direction="bidirectional", activations=["Tanh", "Relu"])
    with pytest.raises(ConfigError, match="net: our RNN has no activations that differ between directions"):
        from_onnx(two_ways, weights(1, 2))


@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("num_layers", [1, 2])
@kinds
def test_in_reverse_from_a_learned_state(kind: str, num_layers: int, layout: int, state: bool, tmp_path: Path) -> None:
    """Each row begins at its last valid step; onnxruntime runs layout 0 only."""
    layer = make(kind, num_layers, reverse=True, learned_state=True)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if name.startswith("state"):
                parameter.normal_()
    model = to_onnx(layer, tmp_path / "layer.onnx", state=state, lengths=True, layout=layout)
    if layout == 0:
        for batch, time in SIZES:
            given, (x, before), steps = inputs(layer, batch, time, True, state)
            with torch.no_grad():
                found = flat(*layer(x, before, lengths=steps))
            assert_agrees(found, list(session(model)(**given).values()), NEAR, f"{batch} rows, {time} steps")
    back = from_onnx(model if state else to_onnx(layer, state=True, layout=layout))
    assert back.reverse
    assert_agrees(back.weight_hh_l0, layer.weight_hh_l0, EXACT)
    with pytest.raises(StreamingUnsupported, match="reverse"):
        to_onnx(layer, single_step=True)


@pytest.mark.parametrize(
    ("made", "given", "error", "message"),
    [
        (node("Gemm"), {}, ConfigError, "Gemm"),
        (node("RNN", colour=1), weights(1), ConfigError, "colour"),
        (node("RNN", activations=["Gelu"]), weights(1), ConfigError, "Gelu"),
        (node("RNN", activations=["Tanh", "Tanh"]), weights(1), ConfigError, "expected 1 activations"),
        (node("RNN", activations=["Tanh"], activation_alpha=[1.0]), weights(1), ConfigError, "more values"),
        (node("RNN"), {}, ConfigError, "the numbers of W"),
        (node("RNN"), weights(3), ShapeError, "R"),
        (node("RNN"), weights(1) | {"B": np.ones((1, H), np.float32)}, ShapeError, "B should"),
        (node("RNN", "", "h"), weights(1) | {"h": np.ones((1, 2, H), np.float32)}, ConfigError, "initial_h"),
        (node("RNN", direction="reverse", clip=-1.0), weights(1), ConfigError, "clip should be"),
        (node("LSTM", "", "", "", "P"), weights(4) | {"P": np.ones((1, H), np.float32)}, ShapeError, "P should"),
        (node("RNN", "n"), weights(1) | {"n": np.ones(2, np.int32)}, ConfigError, "sequence_lens"),
        ("nowhere", None, FileNotFoundError, "nowhere"),
        (3, None, ConfigError, "int"),
    ],
)
def test_what_cannot_be_read_is_refused(made: object, given: dict | None, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        from_onnx(made, given)


def test_zeros_as_the_initial_state_are_what_a_layer_begins_with() -> None:
    given = weights(1) | {"h": np.zeros((1, 2, H), np.float32)}
    assert isinstance(from_onnx(node("RNN", "", "h"), given), recurra.nn.RNN)


def model(*nodes: onnx.NodeProto, **fixed: np.ndarray) -> onnx.ModelProto:
    info = helper.make_tensor_value_info
    tensors = [numpy_helper.from_array(part, name) for name, part in fixed.items()]
    ends = [info("X", 1, ["T", "B", I])], [info("Z", 1, None)]
    return helper.make_model(helper.make_graph(list(nodes), "test", *ends, tensors), ir_version=8)


def two(between: list[onnx.NodeProto], **second: object) -> onnx.ModelProto:
    """Two bidirectional layers, and what lies between."""
    arrays = {f"{name}1": part for name, part in weights(1, 2).items()}
    arrays |= {f"{name}2": part for name, part in weights(1, 2).items()}
    arrays["W2"] = np.ones((2, H, 2 * H), np.float32)
    common = {"hidden_size": H, "direction": "bidirectional"}
    nodes = [
        helper.make_node("RNN", ["X", "W1", "R1", "B1"], ["Y1"], name="one", **common),
        *between,
        helper.make_node("RNN", ["X2", "W2", "R2", "B2"], ["Z"], name="two", **(common | second)),
    ]
    return model(*nodes, **arrays, shape=np.array([0, 0, 2 * H]))


TURN = helper.make_node("Transpose", ["Y1"], ["turned"], perm=[0, 2, 1, 3])
JOIN = helper.make_node("Reshape", ["turned", "shape"], ["X2"])


def test_operators_that_follow_each_other_are_one_stack() -> None:
    """Also through what exporters put between, here a Dropout that does nothing in evaluation."""
    dropout = helper.make_node("Dropout", ["Y1"], ["left"])
    turn = helper.make_node("Transpose", ["left"], ["turned"], perm=[0, 2, 1, 3])
    assert from_onnx(two([dropout, turn, JOIN])).num_layers == 2
    assert from_onnx(two([TURN, JOIN])).bidirectional


@pytest.mark.parametrize(
    ("between", "second", "message"),
    [
        ([TURN, JOIN], {"activations": ["Relu", "Relu"]}, "their attributes"),
        ([TURN, helper.make_node("Reshape", ["turned", "shape"], ["a"]), helper.make_node("Relu", ["a"], ["b"]),
          helper.make_node("Neg", ["b"], ["X2"])], {}, "something else"),
        ([helper.make_node("Reshape", ["Y1", "shape"], ["X2"])], {}, "something else|cannot be run"),
        ([helper.make_node("Concat", ["X", "X"], ["X2"], axis=2)], {}, "something else"),
    ],
)  # fmt: skip
def test_operators_that_are_no_stack_are_refused(between: list, second: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_onnx(two(between, **second))


def test_weights_that_nodes_compute_from_fixed_numbers_are_found() -> None:
    """Exporters leave such nodes: W halved, then doubled by a node of the model."""
    given = weights(1)
    fixed = given | {"half": given["W"] / 2}
    del fixed["W"]
    double = helper.make_node("Add", ["half", "half"], ["W"])
    layer = from_onnx(model(double, node("RNN"), **fixed))
    assert_agrees(layer.weight_ih_l0.detach(), torch.from_numpy(given["W"][0]), EXACT)


def test_a_model_without_a_recurrent_operator_is_refused() -> None:
    with pytest.raises(ConfigError, match="no operator"):
        from_onnx(model(helper.make_node("Relu", ["X"], ["Z"])))
    with pytest.raises(ConfigError, match="with a node only"):
        from_onnx(to_onnx(make("RNN")), {})


@pytest.mark.parametrize(
    ("layer", "options", "error", "message"),
    [
        (recurra.nn.RNN(I, H, nonlinearity=torch.sin), {}, ConfigError, "callable"),
        (recurra.nn.RNN(I, H, nonlinearity=torch.sin, zoneout=0.1), {}, ConfigError, "callable"),
        (
            recurra.nn.GRU(I, H, zoneout=0.1),
            {"layout": 1},
            ConfigError,
            r"layout=1 .* lack options of GRU.*zoneout=0.1",
        ),
        (recurra.nn.GRU(I, H, zoneout=0.1, reverse=True), {"single_step": True}, StreamingUnsupported, "reverse"),
        (recurra.nn.GRU(I, H, bidirectional=True), {"single_step": True}, StreamingUnsupported, "bidirectional"),
        (recurra.nn.GRU(I, H), {"single_step": True, "lengths": True}, ConfigError, "lengths"),
        (recurra.nn.GRU(I, H), {"layout": 2}, ConfigError, "layout"),
        (recurra.nn.GRU(I, H, dtype=torch.bfloat16), {}, DtypeError, "bfloat16"),
        (torch.nn.Linear(I, H), {}, ConfigError, "GRU of recurra.nn"),
        (3, {}, ConfigError, "GRU of recurra.nn.*got: int"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(
    layer: Any, options: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        to_onnx(layer, **options)


def test_without_onnx_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    for call in (lambda: to_onnx(make("RNN")), lambda: from_onnx("layer.onnx")):
        with pytest.raises(MissingExtraError, match=r"pip install recurra\[onnx\]"):
            call()
