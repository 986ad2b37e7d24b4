"""Layers with options as their user sees them: which backend serves, what training draws, what a graph holds."""

from typing import Any

import pytest
import torch

import recurra.nn
from recurra.kernels import Activation, Stack, Weights, _ops, native_is_built
from recurra.kernels._call import Call
from recurra.kernels._ops_code import decode, encode
from recurra.kernels._options import Masks, Options
from tests.tolerances import SAME_FUNCTION_F64, assert_agrees

pytestmark = pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")

LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "rnn": ("RNN", {"clip": 0.7, "zoneout": 0.2, "recurrent_dropout": 0.3, "learned_state": True}),
    "rnn, own alpha": ("RNN", {"nonlinearity": Activation("elu", 0.3)}),
    "rnn, reverse": ("RNN", {"reverse": True}),
    "gru": ("GRU", {"clip": 0.7, "gate_activation": "hard_sigmoid", "candidate_activation": "softsign"}),
    "gru, reset before": ("GRU", {"reset_after": False, "zoneout": 0.2, "recurrent_dropout": 0.3}),
    "gru, reverse": ("GRU", {"reverse": True, "clip": 0.9}),
    "lstm, peephole": ("LSTM", {"peephole": True, "coupling": "input", "zoneout": (0.1, 0.3), "learned_state": True}),
    "lstm, clips": ("LSTM", {"clip": 0.8, "cell_clip": 0.5, "proj_size": 3, "projection_clip": 0.2}),
    "lstm, ba": ("LSTM", {"layer_norm": "ba", "recurrent_dropout": 0.4}),
    "lstm, fastrnns": ("LSTM", {"layer_norm": "fastrnns", "bias": False}),
    "lstm, tflite": ("LSTM", {"layer_norm": "tflite", "peephole": True, "coupling": "forget", "layer_norm_eps": 1e-8}),
    "lstm, reverse": ("LSTM", {"reverse": True, "output_activation": Activation("scaled_tanh", 1.2, 0.7)}),
}
IN, H, B, T = 3, 5, 4, 6


def layer_of(name: str, backend: str = "auto", **more: Any) -> recurra.nn.LSTM:
    kind, options = LAYERS[name]
    torch.manual_seed(3)
    layer = getattr(recurra.nn, kind)(IN, H, dtype=torch.float64, backend=backend, **options, **more)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return layer  # type: ignore[no-any-return]


def values(layer: recurra.nn.LSTM, x: torch.Tensor, **given: Any) -> tuple[object, object]:
    """Outputs and states, and every gradient, with the random numbers of one seed."""
    x = x.detach().requires_grad_()
    torch.manual_seed(9)
    y, last = layer(x, **given)
    parts = last if isinstance(last, tuple) else (last,)
    loss = y.square().sum() + sum(part.sin().sum() for part in parts)
    return (y, *parts), torch.autograd.grad(loss, [x, *layer.parameters()])


@pytest.mark.parametrize("name", LAYERS)
def test_the_native_kernels_serve_and_agree(name: str) -> None:
    """Training and evaluation, ragged, stacked; the masks are drawn by the layer, so both backends get the same."""
    more = {"num_layers": 2, "dropout": 0.0, "bidirectional": not LAYERS[name][1].get("reverse")}
    ours, theirs = layer_of(name, **more), layer_of(name, "reference", **more)
    x, lengths = torch.randn(T, B, IN, dtype=torch.float64), torch.tensor([6, 0, 3, 1])
    assert ours.explain_backend(x, lengths=lengths).name == "native"
    for training in (True, False):
        found, want = (values(layer.train(training), x, lengths=lengths) for layer in (ours, theirs))
        assert_agrees(found, want, SAME_FUNCTION_F64)


def test_a_callable_is_the_one_option_that_is_not_native() -> None:
    layer = recurra.nn.LSTM(IN, H, cell_activation=torch.sin, peephole=True)
    choice = layer.explain_backend()
    assert choice.name == "reference"
    assert "callable: sin" in choice.reasons["native"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LAYERS)
def test_a_compiled_layer_with_options_is_one_operator(name: str) -> None:
    """In evaluation, so that nothing is random; values and gradients against the layer itself."""
    layer = layer_of(name, batch_first=True).eval()
    graphs: list[torch.fx.GraphModule] = []

    def look(graph: torch.fx.GraphModule, _: object) -> torch.fx.GraphModule:
        graphs.append(graph)
        return graph

    torch._dynamo.reset()
    compiled = torch.compile(layer, fullgraph=True, backend=look, dynamic=True)
    for steps in (T, 9):
        x = torch.randn(B, steps, IN, dtype=torch.float64)
        assert_agrees(values(compiled, x), values(layer, x), SAME_FUNCTION_F64)
    assert len(graphs) == 1
    targets = [str(node.target) for node in graphs[0].graph.nodes if node.op == "call_function"]
    assert sum("recurra" in target for target in targets) == 1


@pytest.mark.filterwarnings("ignore")
def test_opcheck_with_masks() -> None:
    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, dtype=torch.float64)

    shapes = ((4 * H, IN), (4 * H, 3), (4 * H,), (4 * H,), (3, H), (3 * H,), (4 * H,))
    weights = [draw(*shape).requires_grad_() for shape in shapes]
    masks = Masks((draw(1, B, 3) > 0).double(), (draw(1, T, B, 3) > 0).double(), 0.25)
    options = Options(clip=0.7, layer_norm="tflite", coupling="input", projection_clip=0.4)
    x, state = draw(T, B, IN).requires_grad_(), [draw(1, B, 3).requires_grad_(), draw(1, B, H).requires_grad_()]
    call = Call(x, tuple(state), (Weights(*weights),), Stack(masks=masks), options=options)
    how, numbers = encode(1, 0, call)
    torch.library.opcheck(_ops.layer, (x, state, weights, None, [*masks[:2]], how, numbers))
    again = decode(how, numbers, [*masks[:2]], lambda call: call)
    assert (again.options, again.stack.masks) == (options, masks)
