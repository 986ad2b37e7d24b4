"""Layers and cells with options: against numpy row by row, by derivatives, under transforms, copied, refused."""

import copy
import io
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import recurra.nn
from recurra.errors import BackendUnavailable
from recurra.nn import Activation
from recurra.nn._options import draw_masks
from tests.nn.drawn_options import IN, Drawn, H, drawn_options
from tests.nn.options_by_hand import run
from tests.tolerances import EXACT, OUTPUT_F32, SAME_FUNCTION_F64, Tolerance, assert_agrees

B, T = 3, 5
RAGGED = (5, 2, 0)
EVERY = (T,) * B

# PyTorch scripts its own forward-mode rules when they are first used
pytestmark = pytest.mark.filterwarnings(r"ignore:.torch\.jit\.script. is deprecated:DeprecationWarning")


def parts_of(state: Any) -> tuple[torch.Tensor, ...]:
    return (state,) if isinstance(state, torch.Tensor) else tuple(state)


def as_hx(parts: Any) -> Any:
    return tuple(parts) if len(parts) > 1 else parts[0]


def detached(*values: Any) -> list[torch.Tensor]:
    return [part.detach() for value in values for part in parts_of(value)]


def input_and_state(layer: Any) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    torch.manual_seed(1)
    parts = tuple(torch.randn(len(layer._names), B, width, dtype=torch.float64) for width in layer._state_widths)
    return torch.randn(T, B, IN, dtype=torch.float64), parts


@settings(max_examples=40)
@given(drawn_options(), st.sampled_from([{}, {"bidirectional": True}, {"reverse": True}]), st.sampled_from([1, 2]))
def test_values_are_those_of_the_equations(drawn: Drawn, way: dict[str, bool], num_layers: int) -> None:
    """Expected: numpy, one row and one gate at a time."""
    layer = drawn.layer(num_layers=num_layers, **way)
    x, state = input_and_state(layer)
    for lengths in (EVERY, RAGGED):
        y, last = layer(x, as_hx(state), lengths=lengths)
        expected, expected_last = run(layer, drawn.choice, x, state, lengths)
        assert_agrees(y.detach(), expected, SAME_FUNCTION_F64, "outputs")
        assert_agrees(detached(last), expected_last, SAME_FUNCTION_F64, "states")


@settings(max_examples=25)
@given(drawn_options(), st.sampled_from([0.0, 0.3]), st.sampled_from([0.0, 0.4]), st.booleans())
def test_masks_and_shares_are_those_of_the_equations(drawn: Drawn, dropped: float, kept: float, trains: bool) -> None:
    """Expected: numpy with the masks of the same random numbers; in evaluation zoneout's expectation."""
    zoneout = (kept, 0.2) if drawn.kind == "LSTM" else kept
    layer = drawn.layer(num_layers=2, bidirectional=True, recurrent_dropout=dropped, zoneout=zoneout).train(trains)
    x, state = input_and_state(layer)
    torch.manual_seed(5)
    masks = draw_masks(layer._options, trains, x, (4, T, B), layer._state_widths)
    torch.manual_seed(5)
    y, last = layer(x, as_hx(state), lengths=RAGGED)
    h_in, keep = None, []
    if masks is not None:
        h_in = None if masks.h_in is None else masks.h_in.numpy()
        shares = (masks.keep_h, masks.keep_c)[: len(state)] if layer._options.zoneout else ()
        keep = [0.0 if p is None else p if isinstance(p, float) else p.numpy() for p in shares]
    expected, expected_last = run(layer, drawn.choice, x, state, RAGGED, h_in, keep)
    assert_agrees(y.detach(), expected, SAME_FUNCTION_F64, "outputs")
    assert_agrees(detached(last), expected_last, SAME_FUNCTION_F64, "states")


@settings(max_examples=6)
@given(drawn_options())
def test_derivatives_of_first_and_second_order(drawn: Drawn) -> None:
    """Expected: finite differences. Kinked activations are differentiable where random numbers fall."""
    layer = drawn.layer(zoneout=0.1, learned_state=True)
    x, _ = input_and_state(layer)
    names = [name for name, _ in layer.named_parameters()]
    values = [part.detach().clone().requires_grad_() for part in (x[:2, :2], *layer.parameters())]

    def run(x: torch.Tensor, *rest: torch.Tensor) -> Any:
        y, last = torch.func.functional_call(layer, dict(zip(names, rest, strict=True)), (x,), {"lengths": [2, 1]})
        return (y, *parts_of(last))

    assert torch.autograd.gradcheck(run, values, fast_mode=True)
    assert torch.autograd.gradgradcheck(run, values, fast_mode=True)


@settings(max_examples=12)
@given(drawn_options())
def test_a_sequence_step_by_step_cut_in_two_and_packed_is_the_whole(drawn: Drawn) -> None:
    zoneout = 0.2
    layer = drawn.layer(num_layers=2, zoneout=zoneout, learned_state=True)
    x, _ = input_and_state(layer)
    whole, last = layer(x)
    stepper = recurra.nn.Stepper(layer, batch=B)
    outputs, fast, carried = [], [], None
    for x_t in x:
        y, carried = layer.step(x_t, carried)
        outputs.append(y)
        fast.append(stepper.step(x_t))
    assert_agrees(torch.stack(outputs).detach(), whole.detach(), SAME_FUNCTION_F64)
    assert_agrees(torch.stack(fast), whole.detach(), SAME_FUNCTION_F64)
    assert_agrees(detached(carried), detached(last), SAME_FUNCTION_F64)
    assert_agrees(detached(stepper.state), detached(last), SAME_FUNCTION_F64)
    first, between = layer(x[:2])
    second, after = layer(x[2:], between)
    assert_agrees(torch.cat([first, second]).detach(), whole.detach(), SAME_FUNCTION_F64)
    assert_agrees(detached(after), detached(last), SAME_FUNCTION_F64)
    y, _ = layer(pack_padded_sequence(x[:, :2], torch.tensor([5, 2]), enforce_sorted=False))
    padded, _ = layer(x[:, :2], lengths=(5, 2))
    assert_agrees(pad_packed_sequence(y)[0].detach(), padded.detach(), SAME_FUNCTION_F64)


@settings(max_examples=12)
@given(drawn_options(), st.booleans())
def test_a_batch_is_its_rows_and_padding_is_never_read(drawn: Drawn, reverse: bool) -> None:
    layer = drawn.layer(reverse=reverse, batch_first=True, learned_state=True)
    x = torch.randn(B, T, IN, dtype=torch.float64)
    y, last = layer(x, lengths=RAGGED)
    spoiled = torch.where(torch.arange(T)[:, None] < torch.tensor(RAGGED)[:, None, None], x, torch.nan)
    again, last_again = layer(spoiled, lengths=RAGGED)
    assert_agrees(detached(again, last_again), detached(y, last), EXACT)
    for row, steps in enumerate(RAGGED):
        alone, last_alone = layer(x[row : row + 1, :steps])
        assert_agrees(y[row : row + 1, :steps].detach(), alone.detach(), SAME_FUNCTION_F64)
        assert not y[row, steps:].any()
        assert_agrees([p[:, row : row + 1] for p in detached(last)], detached(last_alone), SAME_FUNCTION_F64)


@settings(max_examples=12)
@given(drawn_options(), st.permutations(range(B)))
def test_permuting_the_batch_permutes_the_answer(drawn: Drawn, order: list[int]) -> None:
    layer = drawn.layer(learned_state=True)
    x = torch.randn(T, B, IN, dtype=torch.float64)
    y, last = layer(x, lengths=RAGGED)
    permuted, last_permuted = layer(x[:, order], lengths=[RAGGED[k] for k in order])
    assert_agrees(permuted.detach(), y[:, order].detach(), SAME_FUNCTION_F64)
    assert_agrees(detached(last_permuted), [part[:, order] for part in detached(last)], SAME_FUNCTION_F64)


@settings(max_examples=10)
@given(drawn_options())
def test_reversing_twice_is_the_identity(drawn: Drawn) -> None:
    """A layer in reverse over a reversed sequence is the forward layer over the sequence."""
    there, back = drawn.layer(), drawn.layer(reverse=True)
    x, state = input_and_state(there)
    y, last = there(x, as_hx(state))
    reversed_y, reversed_last = back(x.flip(0), as_hx(state))
    assert_agrees(detached(reversed_y.flip(0), reversed_last), detached(y, last), SAME_FUNCTION_F64)


@settings(max_examples=10)
@given(drawn_options())
def test_copies_pickles_and_state_dicts_give_the_same_layer(drawn: Drawn) -> None:
    layer = drawn.layer(zoneout=0.2, learned_state=True, recurrent_dropout=0.1)
    x, _ = input_and_state(layer)
    other = drawn.layer(zoneout=0.2, learned_state=True, recurrent_dropout=0.1)
    other.reset_parameters()
    other.load_state_dict(layer.state_dict())
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    for again in (copy.deepcopy(layer), torch.load(file, weights_only=False), other):
        assert_agrees(again(x)[0].detach(), layer(x)[0].detach(), EXACT)
        assert repr(again) == repr(layer)
        assert again._options == layer._options


@settings(max_examples=4)
@given(drawn_options())
def test_vmap_jvp_and_gradients_of_each_row(drawn: Drawn) -> None:
    layer = drawn.layer(zoneout=0.3, learned_state=True)
    x, _ = input_and_state(layer)
    rows = torch.func.vmap(lambda row: layer(row[:, None])[0][:, 0], in_dims=1, out_dims=1)(x)
    assert_agrees(rows.detach(), layer(x)[0].detach(), SAME_FUNCTION_F64)
    direction = torch.randn_like(x)
    _, tangent = torch.func.jvp(lambda v: layer(v)[0], (x,), (direction,))
    leaf = x.clone().requires_grad_()
    y = layer(leaf)[0]
    weight = torch.randn_like(y)
    (back,) = torch.autograd.grad((y * weight).sum(), leaf)
    assert_agrees((tangent * weight).sum().detach(), (back * direction).sum(), SAME_FUNCTION_F64)
    p = {name: part.detach() for name, part in layer.named_parameters()}

    def of_row(p: dict[str, torch.Tensor], row: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, p, (row[:, None],))[0].square().sum()

    each = torch.func.vmap(torch.func.grad(of_row), in_dims=(None, 1))(p, x)
    for row in range(B):
        loss = layer(x[:, row : row + 1])[0].square().sum()
        alone = torch.autograd.grad(loss, layer.parameters())
        assert_agrees([each[name][row] for name in p], list(alone), SAME_FUNCTION_F64)


@settings(max_examples=12)
@given(drawn_options())
def test_a_cell_is_a_step_of_the_layer(drawn: Drawn) -> None:
    options = {name: value for name, value in drawn.options.items() if name not in ("proj_size", "projection_clip")}
    drawn = drawn._replace(options=options)
    layer = drawn.layer(zoneout=0.3, learned_state=True)
    cell = getattr(recurra.nn, f"{drawn.kind}Cell")(
        IN, H, dtype=torch.float64, **options, zoneout=0.3, learned_state=True
    )
    cell.load_state_dict({name.removesuffix("_l0"): part for name, part in layer.state_dict().items()})
    cell.eval()
    x, state = input_and_state(layer)
    for given_layer, given_cell in ((as_hx(state), as_hx([part[0] for part in state])), (None, None)):
        _, expected = layer(x[:1], given_layer)
        after = cell(x[0], given_cell)
        assert_agrees(detached(after), [part[0] for part in detached(expected)], SAME_FUNCTION_F64)
    assert_agrees(detached(cell(x[0, 0])), [part[0] for part in detached(after)], SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_plain_layer_has_the_parameters_of_torch_nn_and_its_quick_way(kind: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, num_layers=2, bidirectional=True)
    theirs = getattr(torch.nn, kind)(IN, H, num_layers=2, bidirectional=True)
    assert list(layer.state_dict()) == list(theirs.state_dict())
    for again in (layer, copy.deepcopy(layer)):
        assert again._quick is not None
        assert again._masks(None, True) is None  # type: ignore[arg-type]


def test_recurrent_dropout_is_one_mask_a_row_and_sequence() -> None:
    """With x = 0, no bias, phi(a) = a and Wy = 1, h(t) = m h(t-1): h(T) = m^T h(0) with one mask m of 0 or 1/(1-p)."""
    layer = recurra.nn.RNN(1, 50, nonlinearity="affine", bias=False, recurrent_dropout=0.25, dtype=torch.float64)
    with torch.no_grad():
        layer.weight_hh_l0.copy_(torch.eye(50))
    torch.manual_seed(0)
    y, h = layer(torch.zeros(3, 40, 1, dtype=torch.float64), torch.ones(1, 40, 50, dtype=torch.float64))
    mask = y[0].detach()
    assert set(mask.unique().tolist()) == {0.0, 1 / 0.75}
    assert_agrees(h[0].detach(), mask**3, SAME_FUNCTION_F64)
    assert abs(float((mask == 0).double().mean()) - 0.25) < 0.03  # 2000 draws: four standard deviations are 0.039
    other, _ = layer(torch.zeros(3, 40, 1, dtype=torch.float64), torch.ones(1, 40, 50, dtype=torch.float64))
    assert not torch.equal(other[0], mask)


def test_zoneout_keeps_a_fresh_share_each_step_and_its_mean_in_evaluation() -> None:
    """With phi = 1 everywhere, h(t) is h(t-1) or 1; in evaluation 1 - h(t) = p (1 - h(t-1))."""
    layer = recurra.nn.RNN(1, 50, nonlinearity=Activation("affine", alpha=0.0, beta=1.0), zoneout=0.3)
    torch.manual_seed(0)
    y, _ = layer(torch.zeros(4, 200, 1))
    assert set(y.unique().tolist()) == {0.0, 1.0}
    for t in range(4):  # 10,000 draws: four standard deviations are below 0.02
        assert abs(float((y[t] == 0).double().mean()) - 0.3 ** (t + 1)) < 0.02
    layer.eval()
    y, h = layer(torch.zeros(4, 2, 1))
    assert_agrees(1 - h[0].detach(), torch.full((2, 50), 0.3**4), OUTPUT_F32)


def test_zoneout_of_one_keeps_everything_and_of_h_leaves_the_cell() -> None:
    layer = recurra.nn.LSTM(IN, H, zoneout=(1.0, 0.0), dtype=torch.float64).eval()
    plain = recurra.nn.LSTM(IN, H, dtype=torch.float64)
    plain.load_state_dict(layer.state_dict())
    x, (h, c) = input_and_state(layer)
    y, (_, after) = layer(x[:1], (h, c))
    assert_agrees(y.detach(), h, EXACT)
    assert_agrees(after.detach(), plain(x[:1], (h, c))[1][1].detach(), SAME_FUNCTION_F64)


def test_the_gate_that_coupling_leaves_out_takes_no_gradient() -> None:
    for coupling, at in (("input", slice(H, 2 * H)), ("forget", slice(0, H))):
        layer = recurra.nn.LSTM(IN, H, coupling=coupling, peephole=True, dtype=torch.float64)
        layer(torch.randn(T, B, IN, dtype=torch.float64))[0].sum().backward()
        for parameter in (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0):
            assert parameter.grad is not None
            assert not parameter.grad[at].any()
            assert parameter.grad.any()


def test_a_learned_state_begins_where_none_is_given_and_learns() -> None:
    for kind in ("RNN", "GRU", "LSTM"):
        layer = getattr(recurra.nn, kind)(IN, H, 2, bidirectional=True, learned_state=True, dtype=torch.float64)
        names = [name for name, _ in layer.named_parameters() if name.startswith("state_")]
        assert len(names) == 4 * len(layer._state_widths)
        with torch.no_grad():
            for name in names:
                getattr(layer, name).normal_()
        x, _ = input_and_state(layer)
        ways = [f"l{k}{way}" for k in range(2) for way in ("", "_reverse")]
        parts = [
            torch.stack([getattr(layer, f"state_{part}_{way}").detach() for way in ways])[:, None].expand(-1, B, -1)
            for part in ("h", "c")[: len(layer._state_widths)]
        ]
        y, _ = layer(x)
        assert_agrees(y.detach(), layer(x, as_hx(parts))[0].detach(), EXACT)
        y.sum().backward()
        assert all(getattr(layer, name).grad.any() for name in names)
        assert_agrees(layer(x[:, 0])[0].detach(), y[:, 0].detach(), SAME_FUNCTION_F64)
        layer.reset_parameters()
        assert not any(getattr(layer, name).any() for name in names)


def test_native_serves_what_it_has_under_a_learned_state() -> None:
    layer = recurra.nn.GRU(IN, H, learned_state=True, reset_after=False)
    assert layer.explain_backend().reasons.get("reference") is None
    assert "does not have" not in str(layer.explain_backend().reasons.get("native", ""))


def test_each_backend_says_which_options_it_lacks() -> None:
    layer = recurra.nn.LSTM(IN, H, peephole=True, coupling="input", clip=1.0, zoneout=0.1, backend="torch")
    choice = layer.explain_backend()
    assert choice.name is None
    for name in ("peephole", "coupling", "clip", "zoneout"):
        assert name in choice.reasons["torch"]
    with pytest.raises(BackendUnavailable, match="does not have clip, coupling, peephole, zoneout"):
        layer(torch.zeros(1, 1, IN))
    with pytest.raises(BackendUnavailable, match="torch"):
        recurra.nn.GRU(IN, H, gate_activation="relu", backend="torch")(torch.zeros(1, 1, IN))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_autocast_computes_in_the_type_of_its_own_and_close(kind: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, clip=2.0, zoneout=0.1, learned_state=True).eval()
    x = torch.randn(T, B, IN)
    with torch.autocast("cpu", torch.bfloat16):
        y, _ = layer(x)
    assert_agrees(y.float().detach(), layer(x)[0].detach(), Tolerance(0.05, 0.05))


COMPILED: list[tuple[Any, ...]] = [
    ("RNN", {"nonlinearity": torch.sin, "clip": 0.5}),
    ("LSTM", {"peephole": True, "layer_norm": "tflite", "zoneout": 0.1, "learned_state": True}),
    ("GRU", {"gate_activation": "hard_sigmoid", "reverse": True}),
]


@pytest.mark.parametrize(("kind", "options"), COMPILED)
def test_compiled_and_exported_layers_are_the_layer(kind: str, options: dict[str, Any]) -> None:
    """Also with a Python callable, which the tracers look into."""
    torch._dynamo.reset()
    layer = getattr(recurra.nn, kind)(IN, H, dtype=torch.float64, **options).eval()
    x, lengths = torch.randn(T, B, IN, dtype=torch.float64), torch.tensor(RAGGED)
    expected = layer(x, lengths=lengths)[0].detach()
    found = torch.compile(layer, fullgraph=True, backend="aot_eager")(x, lengths=lengths)[0]
    assert_agrees(found.detach(), expected, SAME_FUNCTION_F64)
    program = torch.export.export(layer, (x,), {"lengths": lengths})
    assert_agrees(program.module()(x, lengths=lengths)[0].detach(), expected, SAME_FUNCTION_F64)


def test_masks_are_drawn_anew_in_a_compiled_layer() -> None:
    torch._dynamo.reset()
    layer = recurra.nn.GRU(IN, H, recurrent_dropout=0.5, zoneout=0.5)
    run = torch.compile(layer, fullgraph=True, backend="aot_eager")
    x = torch.randn(T, B, IN)
    torch.manual_seed(0)
    first, second = run(x)[0].detach(), run(x)[0].detach()
    torch.manual_seed(0)
    assert_agrees(first, layer(x)[0].detach(), OUTPUT_F32)
    assert not torch.equal(first, second)


def test_a_module_as_activation_is_trained_and_moved_with_the_layer() -> None:
    layer = recurra.nn.GRU(IN, H, candidate_activation=torch.nn.PReLU())
    layer(torch.randn(T, B, IN))[0].sum().backward()
    assert layer.candidate_activation.weight.grad is not None
    double = copy.deepcopy(layer).double()
    assert double(torch.randn(T, B, IN, dtype=torch.float64))[0].dtype is torch.float64
