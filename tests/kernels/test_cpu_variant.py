"""The kernel with every option against the equations in float64: each alone and all together, values and gradients."""

import os
import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from recurra.kernels import ACTIVATIONS, DEFAULTS, Activation, native_is_built
from tests.kernels.variant_cases import KINDS, Case, Size, check, gradients, phis
from tests.tolerances import relative_error

pytestmark = pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")

SIZES = ((3, 4, 2, 1), (4, 5, 3, 5), (5, 6, 7, 19), (7, 3, 20, 33), (60, 2, 3, 8))
BOTH = (torch.float64, torch.float32)
SIGMOID, TANH = Activation("sigmoid"), Activation("tanh")


def odd(name: str) -> Activation:
    """The activation with other numbers than ONNX's."""
    return Activation(name, *(0.4, 0.7)[: len(DEFAULTS.get(name, ()))])


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_of_every_kind(kind: str, size: Size) -> None:
    check(Case(kind, {"clip": 0.6}, size, directions=2))
    check(Case(kind, {"clip": 0.6}, size, directions=2, ragged=True), (torch.float64,))


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("kind", KINDS)
def test_every_activation_in_every_place(kind: str, name: str) -> None:
    """Alpha and beta other than ONNX's defaults; a clip that some preactivations reach."""
    places = {"rnn": 1, "lstm": 3}.get(kind, 2)
    for place in range(places):
        functions = list(phis(kind, SIGMOID, TANH, TANH))
        functions[place] = odd(name)
        clip = None if place == 2 else 1.5
        check(Case(kind, {"activations": tuple(functions), "clip": clip}, (5, 4, 7, 19), ragged=True))


LSTM_OPTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "peephole": ({}, {"peephole": True}),
    "input coupled": ({"coupling": "input"}, {}),
    "forget coupled": ({"coupling": "forget"}, {}),
    "cell clip": ({"cell_clip": 0.15}, {}),
    "projection": ({"clip": 5.0}, {"P": 3}),
    "projection clip": ({"projection_clip": 0.1}, {"P": 3}),
    "ba": ({"layer_norm": "ba"}, {}),
    "fastrnns": ({"layer_norm": "fastrnns"}, {}),
    "tflite": ({"layer_norm": "tflite"}, {}),
    "tflite, peephole": ({"layer_norm": "tflite"}, {"peephole": True}),
    "no bias": ({"cell_clip": 0.15}, {"bias": False}),
    "ba, no bias": ({"layer_norm": "ba"}, {"bias": False}),
    "tflite, no bias": ({"layer_norm": "tflite"}, {"bias": False}),
}


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", LSTM_OPTIONS)
def test_each_option_of_the_lstm(name: str, size: Size) -> None:
    options, more = LSTM_OPTIONS[name]
    exact = size[3] == 1 and "layer_norm" in options  # the norm of one number is 0, and all that is left is rounding
    check(Case("lstm", options, size, directions=2, ragged=True, **more), (torch.float64,) if exact else BOTH)
    check(Case("lstm", options, size, **more), (torch.float64,))


@pytest.mark.parametrize("masks", ["d", "z", "e", "dz", "de"])
@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_dropout_and_zoneout(kind: str, masks: str) -> None:
    check(Case(kind, {}, (5, 4, 3, 19), directions=2, ragged=True, masks=masks))
    check(Case(kind, {"clip": 0.7, "reverse": True}, (3, 6, 2, 5), masks=masks, ragged=True), (torch.float64,))
    check(Case(kind, {}, (3, 6, 2, 5), masks=masks), (torch.float64,))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clip", [None, 0.8])
def test_reverse_on_the_plain_kernel_and_on_this_one(kind: str, clip: float | None) -> None:
    for ragged in (False, True):
        check(Case(kind, {"reverse": True, "clip": clip}, (4, 7, 3, 9), ragged=ragged, layers=2))


@pytest.mark.parametrize("norm", [None, "ba", "fastrnns", "tflite"])
@pytest.mark.parametrize("coupling", [None, "input", "forget"])
def test_options_of_the_lstm_together(coupling: str | None, norm: str | None) -> None:
    options = {
        "activations": (
            Activation("hard_sigmoid", 0.3, 0.45),
            Activation("scaled_tanh", 1.3, 0.8),
            Activation("softsign"),
        ),
        "clip": 1.1,
        "cell_clip": 0.6,
        "projection_clip": 0.5,
        "coupling": coupling,
        "layer_norm": norm,
        "layer_norm_eps": 1e-3,
    }
    peephole = norm in (None, "tflite")
    cases: list[tuple[Size, int, str, bool]] = [
        ((6, 5, 4, 19), 7, "dz", True),
        ((4, 3, 5, 33), 0, "e", False),
        ((3, 4, 1, 6), 5, "de", True),
        ((50, 3, 2, 9), 4, "dz", False),
    ]
    for size, P, masks, first in cases:
        more: dict[str, Any] = {"P": P, "peephole": peephole, "masks": masks}
        check(Case("lstm", options, size, directions=2, bias=first, ragged=not first, **more))
        check(Case("lstm", {**options, "reverse": True}, size, ragged=first, **more))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any options together, of any kind, size and layout."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    bound = st.sampled_from([None, 0.3, 1.0])
    names = [name for name in sorted(ACTIVATIONS) if name != "thresholded_relu"]
    functions = [odd(draw(st.sampled_from(names))) for _ in range(3)]
    options: dict[str, Any] = {"clip": draw(bound)}
    if draw(st.booleans()):
        options["activations"] = phis(kind, functions[0], functions[1], functions[2])
    directions, more = draw(st.sampled_from([1, 2])), {"masks": draw(st.sampled_from(["", "d", "z", "e", "dz", "de"]))}
    if directions == 1:
        options["reverse"] = draw(st.booleans())
    if kind == "lstm":
        norm = draw(st.sampled_from([None, "ba", "fastrnns", "tflite"]))
        options |= {
            "layer_norm": norm,
            "coupling": draw(st.sampled_from([None, "input", "forget"])),
            "cell_clip": draw(bound),
        }
        more |= {"P": draw(st.sampled_from([0, 3, 9])), "peephole": norm in (None, "tflite") and draw(st.booleans())}
        options["projection_clip"] = draw(bound) if more["P"] else None
    size = tuple(draw(st.integers(low, high)) for low, high in ((1, 7), (1, 6), (1, 9), (2, 20)))
    ragged, layers, bias = draw(st.booleans()), draw(st.sampled_from([1, 1, 2])), draw(st.booleans())
    seed = draw(st.integers(0, 1000))
    return Case(kind, options, size, directions=directions, layers=layers, bias=bias, ragged=ragged, seed=seed, **more)  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(cases())
def test_any_options_together(case: Case) -> None:
    check(case, (torch.float64,))


@pytest.mark.parametrize("kind", KINDS)
def test_no_steps_and_no_rows(kind: str) -> None:
    """No steps leave the state as it is; no rows leave nothing. Neither gives any weight a gradient."""
    for size in ((3, 0, 4, 5), (0, 3, 4, 5)):
        case = Case(kind, {"clip": 1.0}, size, directions=2, masks="dz")
        parts = case.leaves()
        y, last = case.run("native", parts)
        assert y.shape == (size[1], size[0], 10)
        assert all(torch.equal(a, b) for a, b in zip(last, parts[1 : 1 + len(last)], strict=True))
        found = torch.autograd.grad(sum(part.sum() for part in last), [p for p in parts if p is not None])
        states = len(last)
        assert all(bool((g == 1).all()) for g in found[1 : 1 + states])
        assert not any(bool(g.any()) for g in (found[0], *found[1 + states :]))


_HARD = (Activation("hard_sigmoid"), Activation("softsign"))
EVERYTHING: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "rnn": ("rnn", {"activations": (Activation("elu", 0.7),), "clip": 0.9}, {}),
    "gru": ("gru", {"activations": _HARD, "clip": 0.9}, {}),
    "reset before": ("reset before", {"activations": _HARD, "clip": 0.9}, {}),
    "lstm": (
        "lstm",
        {"clip": 0.9, "cell_clip": 0.5, "projection_clip": 0.3, "layer_norm": "tflite"},
        {"P": 7, "peephole": True},
    ),
    "normed sides": ("lstm", {"coupling": "input", "layer_norm": "fastrnns"}, {"P": 7}),
}
"""Of each way through the kernel one layer with everything that goes together."""


def everything(name: str, size: Size = (9, 6, 5, 33), **more: Any) -> Case:
    kind, options, own = EVERYTHING[name]
    return Case(kind, options, size, **{"directions": 2, "masks": "dz", **own, **more})


@pytest.mark.parametrize("name", EVERYTHING)
def test_stacked_layers_and_recomputed_ones(name: str) -> None:
    """Two layers, each in both directions; kept, and computed again part by part."""
    for ragged in (False, True):
        check(everything(name, (4, 17, 3, 9), layers=2, ragged=ragged), (torch.float64,), recompute=ragged)
    kind, options, own = EVERYTHING[name]
    reverse = Case(kind, {**options, "reverse": True}, (4, 17, 3, 9), masks="dz", ragged=True, **own)
    check(reverse, (torch.float64,), recompute=True)


@pytest.mark.parametrize("name", EVERYTHING)
def test_threads_agree_and_repeat_bit_by_bit(name: str) -> None:
    case = everything(name, (13, 20, 16, 64))
    parts = case.leaves(torch.float32)
    before, first = torch.get_num_threads(), None
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            y, last = case.run("native", parts)
            again = case.run("native", parts)
            found, found_again = gradients((y, last), parts), gradients(again, parts)
            assert torch.equal(y, again[0])
            assert all(torch.equal(a, b) for a, b in zip(found, found_again, strict=True))
            first = first or (y, found)
            assert relative_error(y, first[0]) < 1e-6
            assert max(relative_error(a, b) for a, b in zip(found, first[1], strict=True)) < 1e-5
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("name", EVERYTHING)
def test_nothing_that_memory_held_before_is_read(name: str) -> None:
    """The padding is NaN, and so is memory that was let go before the call."""
    case = everything(name, ragged=True)
    parts = case.leaves(torch.float32)
    clean = case.run("native", parts)
    want = [*clean[1], clean[0], *gradients(clean, parts)]
    x = case.x.to(torch.float32)
    assert case.lengths is not None
    for row, length in enumerate(case.lengths.tolist()):
        x[length:, row] = torch.nan
    parts[0] = x.requires_grad_()
    T, B, _ = x.shape
    for _ in range(3):
        waste = [torch.full((n,), torch.nan) for n in (T * B * 66, B * 33, 4 * 33 * 33, 4 * 33 * 5, 4 * 33, T * B * 5)]
        del waste
        found = case.run("native", parts)
        for a, b in zip([*found[1], found[0], *gradients(found, parts)], want, strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("name", EVERYTHING)
def test_layouts_give_the_same(name: str) -> None:
    """Batch first, strided and packed input, expanded and strided gradients: bit by bit."""
    case = everything(name)
    parts = case.leaves()
    y, last = case.run("native", parts)
    weight = torch.randn_like(y)
    wanted = [p for p in parts[1:] if p is not None]
    want = torch.autograd.grad(y, wanted, weight, retain_graph=True)
    ones = torch.autograd.grad(y.sum(), wanted)
    assert parts[0] is not None
    wide = torch.stack([parts[0], parts[0]], -1)[..., 0]
    sizes = torch.full((case.x.shape[0],), case.x.shape[1], dtype=torch.int64)
    for x, layout, back in (
        (parts[0].transpose(0, 1), {"batch_first": True}, lambda y: y.transpose(0, 1)),
        (wide, {}, lambda y: y),
        (parts[0].flatten(0, 1), {"batch_sizes": sizes}, lambda y: y.unflatten(0, case.x.shape[:2])),
    ):
        other, other_last = case.run("native", parts, x, **layout)  # type: ignore[arg-type]
        assert torch.equal(back(other), y)
        assert all(torch.equal(a, b) for a, b in zip(other_last, last, strict=True))
        found = torch.autograd.grad(back(other), wanted, weight, retain_graph=True)
        assert all(torch.equal(a, b) for a, b in zip(found, want, strict=True))
        found = torch.autograd.grad(other.sum(), wanted)
        assert all(torch.equal(a, b) for a, b in zip(found, ones, strict=True))


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("name", EVERYTHING)
def test_packed_equals_ragged(name: str, recompute: bool) -> None:
    case = everything(name, (4, 17, 3, 9))
    case.lengths = torch.tensor([17, 14, 2, 1])
    sizes = (torch.arange(17)[:, None] < case.lengths).sum(1)
    parts = case.leaves()
    y, last = case.run("native", parts)
    assert parts[0] is not None
    x = torch.cat([parts[0][t, :n] for t, n in enumerate(sizes.tolist())])
    packed, packed_last = case.run("native", parts, x, sizes, recompute=recompute)
    assert relative_error(packed, torch.cat([y[t, :n] for t, n in enumerate(sizes.tolist())])) < 1e-13
    assert all(relative_error(a, b) < 1e-13 for a, b in zip(packed_last, last, strict=True))
    for a, b in zip(gradients((packed, packed_last), parts), gradients((y, last), parts), strict=True):
        assert relative_error(a, b) < 1e-12


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_graph_may_be_kept_and_run_again(name: str) -> None:
    case = everything(name)
    parts = case.leaves()
    y, _ = case.run("native", parts)
    wanted = [p for p in parts if p is not None]
    first = torch.autograd.grad(y.sum(), wanted, retain_graph=True)
    second = torch.autograd.grad(y.sum(), wanted)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", EVERYTHING)
def test_second_derivatives_go_through_the_equations(name: str) -> None:
    """Of the native layer and of the equations, by value."""
    case = everything(name, (2, 3, 2, 5))
    found = []
    for backend in ("native", "reference"):
        parts = case.leaves()
        y, last = case.run(backend, parts)
        wanted = [p for p in parts if p is not None]
        first = torch.autograd.grad(y.square().sum() + last[0].sin().sum(), wanted, create_graph=True)
        found.append(torch.autograd.grad(sum(g.square().sum() for g in first), wanted))
    assert all(relative_error(a, b) < 1e-9 for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("name", EVERYTHING)
def test_gradcheck(name: str) -> None:
    kind, options, own = EVERYTHING[name]
    smooth = {k: v for k, v in options.items() if "clip" not in k and k != "activations"}
    case = Case(kind, smooth, (2, 3, 2, 3), directions=2, masks="d", **{**own, "P": 2 if "P" in own else 0})
    parts = case.leaves()
    there = [k for k, p in enumerate(parts) if p is not None]

    def function(*given: Tensor) -> tuple[Tensor, ...]:
        full: list[Tensor | None] = [None] * len(parts)
        for k, part in zip(there, given, strict=True):
            full[k] = part
        y, last = case.run("native", full)
        return (y, *last)

    assert torch.autograd.gradcheck(function, [parts[k] for k in there])


@pytest.mark.parametrize("instructions", ["avx512", "avx2", "baseline"])
def test_every_instruction_set(instructions: str) -> None:
    """A process of its own each."""
    code = (
        "from tests.kernels.test_cpu_variant import EVERYTHING, check, everything\n"
        "from recurra.kernels._compiled import native\n"
        f"assert native.instruction_set() == {instructions!r}\n"
        "for name in EVERYTHING:\n"
        "    check(everything(name, (7, 5, 9, 37), ragged=True))\n"
    )
    environment = {**os.environ, "RECURRA_CPU_ISA": instructions}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if "this processor does not have it" in done.stderr:
        pytest.skip(f"this processor does not have {instructions}")
    assert done.returncode == 0, done.stderr
