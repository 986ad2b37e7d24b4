"""The variant kernel against the equations in float64: every option alone and together, values and every gradient."""

import itertools
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from recurra.kernels import native_is_built
from recurra.kernels._call import Stack
from recurra.kernels._cpu_call import Batch, Recipe
from recurra.kernels._cpu_variant import Masks, Variant, native_options, run_variant
from tests.kernels import variant_equations
from tests.kernels.variant_equations import PHI, Options
from tests.tolerances import relative_error

pytestmark = pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")

RNN, LSTM, GRU, GRU_BEFORE = range(4)
KINDS = {"rnn": RNN, "lstm": LSTM, "gru": GRU, "reset before": GRU_BEFORE}
GATES = (1, 4, 3, 3)
FORWARD = {torch.float32: 2e-6, torch.float64: 1e-12}
GRADIENT = {torch.float32: 2e-5, torch.float64: 1e-12}


class Case:
    """Weights, input, state and masks of one layer, in float64."""

    def __init__(
        self, kind: int, options: Options, size: tuple[int, int, int, int], *, directions: int = 1, P: int = 0,
        peephole: bool = False, bias: bool = True, masks: str = "", ragged: bool = False, reverse: bool = False,
    ) -> None:
        B, T, I, H = size
        self.kind, self.options, self.reverse, self.directions = kind, options, reverse, directions
        generator = torch.Generator().manual_seed(hash((kind, size, P)) % 1000)
        def draw(*shape: int) -> Tensor:
            return torch.randn(*shape, dtype=torch.float64, generator=generator)
        G, width = GATES[kind], P or H
        scale = max(1, H) ** -0.5
        apart, normed = options.norm in ("ba", "fastrnns"), options.norm is not None
        self.flat: list[Tensor | None] = []
        for _ in range(directions):
            self.flat += [draw(G * H, I) * scale, draw(G * H, width) * scale]
            self.flat += [draw(G * H) * 0.3, draw(G * H) * 0.3] if bias else [None, None]
            self.flat.append(draw(P, H) * scale if P else None)
            self.flat.append(draw(3 * H) * 0.5 if peephole else None)
            self.flat.append(1 + 0.3 * draw(4 * H) if normed else None)
            self.flat.append(1 + 0.3 * draw(4 * H) if apart else None)
            self.flat += [1 + 0.3 * draw(H), draw(H) * 0.3] if apart else [None, None]
        self.x = draw(T, B, I)
        self.state = [draw(directions, B, width), draw(directions, B, H)][: 2 if kind == LSTM else 1]
        self.lengths = torch.arange(B) * 2 % (T + 1) if ragged else None
        self.masks = Masks()
        if "d" in masks:
            self.masks = self.masks._replace(h_in=(draw(directions, B, width) > 0).double() * 2)
        if "z" in masks:
            self.masks = self.masks._replace(
                keep_h=(draw(directions, T, B, width) > 0.5).double(), keep_c=(draw(directions, T, B, H) > 0.5).double()
            )
        if "e" in masks:
            self.masks = self.masks._replace(keep_h=0.15, keep_c=0.25)

    def cast(self, dtype: torch.dtype) -> tuple[list[Tensor | None], Masks]:
        """x, the state and the weights as leaves."""
        parts = [None if p is None else p.to(dtype).detach().requires_grad_() for p in (self.x, *self.state, *self.flat)]
        return parts, Masks(*(m.to(dtype) if isinstance(m, Tensor) else m for m in self.masks))

    def truth(self, parts: list[Tensor | None], masks: Masks) -> tuple[Tensor, tuple[Tensor, ...]]:
        states = len(self.state)
        return variant_equations.run(
            self.kind, self.options, masks, parts[0], parts[1 : 1 + states], parts[1 + states :],
            lengths=self.lengths, reverse=self.reverse,
        )

    def variant(self, masks: Masks, batch_first: bool = False) -> Variant:
        o, states = self.options, len(self.state)

        def equations(x: Tensor, state: tuple[Tensor, ...], flat: list[Tensor | None]) -> tuple[Tensor, tuple[Tensor, ...]]:
            return self.truth([x, *state, *flat], masks)

        stack = Stack(1, self.directions == 2, batch_first)
        plain = Recipe(self.kind, 0, stack, states, lambda call: call)  # the equations serve instead
        options = native_options(
            (o.gate, o.candidate, o.output), (o.clip, o.cell_clip, o.projection_clip), o.coupling, (o.norm, o.eps)
        )
        return Variant(plain, options, masks, self.reverse, equations)

    def native(
        self, parts: list[Tensor | None], masks: Masks, x: Tensor | None = None, **layout: object
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """As `truth`; another x where the layout is another one: batch_first or batch_sizes."""
        states, sizes = len(self.state), layout.pop("batch_sizes", None)
        batch = Batch(self.x.shape[0], self.x.shape[1], None if sizes is not None else self.lengths, sizes)
        x = parts[0] if x is None else x
        return run_variant(self.variant(masks, **layout), batch, x, tuple(parts[1 : 1 + states]), parts[1 + states :])


def gradients(result: tuple[Tensor, tuple[Tensor, ...]], parts: list[Tensor | None]) -> list[Tensor]:
    y, last = result
    loss = (y.square().sum() + sum(((k + 2) * part).sin().sum() for k, part in enumerate(last)))
    found = torch.autograd.grad(loss, [p for p in parts if p is not None], allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for g, p in zip(found, (p for p in parts if p is not None), strict=True)]


def assert_close(a: Tensor, b: Tensor, bound: float, what: str) -> None:
    assert a.shape == b.shape
    if bool(b.any()):
        assert relative_error(a, b) < bound, what
    else:
        assert not a.any(), what


def check(case: Case, dtypes: tuple[torch.dtype, ...] = (torch.float64, torch.float32)) -> None:
    exact, masks = case.cast(torch.float64)
    want = case.truth(exact, masks)
    want_gradients = gradients(want, exact)
    for dtype in dtypes:
        parts, masks = case.cast(dtype)
        found = case.native(parts, masks)
        for a, b in zip((found[0], *found[1]), (want[0], *want[1]), strict=True):
            assert_close(a, b, FORWARD[dtype], f"output {dtype}")
        for k, (a, b) in enumerate(zip(gradients(found, parts), want_gradients, strict=True)):
            assert_close(a, b, GRADIENT[dtype], f"gradient {k} {dtype}")
        with torch.no_grad():
            again = case.native(parts, masks)
        assert torch.equal(again[0], found[0])
        assert all(torch.equal(a, b) for a, b in zip(again[1], found[1], strict=True))


SIZES = ((3, 4, 2, 1), (4, 5, 3, 5), (5, 6, 7, 19), (7, 3, 20, 33), (60, 2, 3, 8))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_without_options(kind: str, size: tuple[int, int, int, int]) -> None:
    for ragged in (False, True):
        check(Case(KINDS[kind], Options(), size, directions=2, ragged=ragged))


@pytest.mark.parametrize("name", sorted(PHI))
@pytest.mark.parametrize("kind", KINDS)
def test_every_activation_with_alpha_and_beta(kind: str, name: str) -> None:
    """Alpha and beta other than ONNX's defaults, in each place; a clip that some preactivations reach."""
    odd = (name, 0.4, 0.7)
    for options in (
        Options(candidate=odd, clip=1.5),
        Options(gate=odd, clip=0.8),
        Options(output=odd),
    ):
        if options.output == odd and kind != "lstm" or options.gate == odd and kind == "rnn":
            continue
        check(Case(KINDS[kind], options, (5, 4, 7, 19), directions=2, ragged=True))


LSTM_OPTIONS = {
    "peephole": (Options(), {"peephole": True}),
    "input coupled": (Options(coupling="input"), {}),
    "forget coupled": (Options(coupling="forget"), {}),
    "clip": (Options(clip=0.4), {}),
    "cell clip": (Options(cell_clip=0.15), {}),
    "projection": (Options(), {"P": 3}),
    "projection clip": (Options(projection_clip=0.1), {"P": 3}),
    "ba": (Options(norm="ba"), {}),
    "fastrnns": (Options(norm="fastrnns"), {}),
    "tflite": (Options(norm="tflite"), {}),
    "no bias": (Options(), {"bias": False}),
}


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", LSTM_OPTIONS)
def test_each_option_of_the_lstm(name: str, size: tuple[int, int, int, int]) -> None:
    options, more = LSTM_OPTIONS[name]
    if options.norm is not None and size[3] == 1:
        size = (*size[:3], 2)  # the norm of one number is zero
    for ragged in (False, True):
        check(Case(LSTM, options, size, directions=2, ragged=ragged, **more))


@pytest.mark.parametrize("masks", ["d", "z", "e", "dz", "de"])
@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_dropout_and_zoneout(kind: str, masks: str) -> None:
    for size, ragged in itertools.product(((5, 4, 3, 19), (3, 6, 2, 5)), (False, True)):
        check(Case(KINDS[kind], Options(), size, directions=2, ragged=ragged, masks=masks))
        check(Case(KINDS[kind], Options(clip=0.7), size, masks=masks, reverse=True, ragged=ragged))


@pytest.mark.parametrize("norm", [None, "ba", "fastrnns", "tflite"])
@pytest.mark.parametrize("coupling", [None, "input", "forget"])
def test_options_of_the_lstm_together(coupling: str | None, norm: str | None) -> None:
    options = Options(
        ("hard_sigmoid", 0.3, 0.45), ("scaled_tanh", 1.3, 0.8), ("softsign", 1.0, 1.0), 1.1, 0.6, 0.5, coupling, norm, 1e-3
    )
    peephole = norm in (None, "tflite")
    for size, P, masks in (((6, 5, 4, 19), 7, "dz"), ((4, 3, 5, 33), 0, "e"), ((3, 4, 1, 6), 5, "de"), ((50, 3, 2, 9), 4, "dz")):
        for bias, ragged in ((True, False), (False, True)):
            case = Case(LSTM, options, size, directions=2, P=P, peephole=peephole, bias=bias, masks=masks, ragged=ragged)
            check(case)
            check(Case(LSTM, options, size, P=P, peephole=peephole, masks=masks, ragged=ragged, reverse=True))


@pytest.mark.parametrize("kind", KINDS)
def test_no_steps_and_no_rows(kind: str) -> None:
    """No steps leave the state as it is; no rows leave nothing. Neither gives any weight a gradient."""
    for size in ((3, 0, 4, 5), (0, 3, 4, 5)):
        case = Case(KINDS[kind], Options(clip=1.0), size, directions=2)
        parts, masks = case.cast(torch.float64)
        y, last = case.native(parts, masks)
        assert y.shape == (size[1], size[0], 10)
        assert all(torch.equal(a, b) for a, b in zip(last, parts[1 : 1 + len(last)], strict=True))
        found = torch.autograd.grad(sum(part.sum() for part in last), [p for p in parts if p is not None])
        states = len(last)
        assert all(bool((g == 1).all()) for g in found[1 : 1 + states])
        assert not any(bool(g.any()) for g in (found[0], *found[1 + states :]))


EVERYTHING = {
    "rnn": (Options(candidate=("elu", 0.7, 1.0), clip=0.9), {}),
    "gru": (Options(("hard_sigmoid", 0.2, 0.5), ("softsign", 1.0, 1.0), clip=0.9), {}),
    "reset before": (Options(("hard_sigmoid", 0.2, 0.5), ("softsign", 1.0, 1.0), clip=0.9), {}),
    "lstm": (Options(clip=0.9, cell_clip=0.5, projection_clip=0.3, norm="tflite"), {"P": 7, "peephole": True}),
    "normed sides": (Options(coupling="input", norm="fastrnns"), {"P": 7}),
}


def everything(name: str, size: tuple[int, int, int, int] = (9, 6, 5, 33), **more: object) -> Case:
    options, given = EVERYTHING[name]
    return Case(KINDS.get(name, LSTM), options, size, directions=2, masks="dz", **given, **more)


@pytest.mark.parametrize("name", EVERYTHING)
def test_threads_agree_and_repeat_bit_by_bit(name: str) -> None:
    case = everything(name, (13, 20, 16, 64))
    parts, masks = case.cast(torch.float32)
    before, first = torch.get_num_threads(), None
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            y, last = case.native(parts, masks)
            again = case.native(parts, masks)
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
    parts, masks = case.cast(torch.float32)
    clean = case.native(parts, masks)
    want = [*clean[1], clean[0], *gradients(clean, parts)]
    x = case.x.to(torch.float32)
    for row, length in enumerate(case.lengths.tolist()):
        x[length:, row] = torch.nan
    parts[0] = x.requires_grad_()
    T, B, _ = x.shape
    for _ in range(3):
        waste = [torch.full((n,), torch.nan) for n in (T * B * 66, B * 33, 4 * 33 * 33, 4 * 33 * 5, 4 * 33, T * B * 5)]
        del waste
        found = case.native(parts, masks)
        for a, b in zip([*found[1], found[0], *gradients(found, parts)], want, strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("name", EVERYTHING)
def test_layouts_give_the_same(name: str) -> None:
    """Batch first, strided and packed input, expanded and strided gradients: bit by bit."""
    case = everything(name)
    parts, masks = case.cast(torch.float64)
    y, last = case.native(parts, masks)
    weight = torch.randn_like(y)
    wanted = [p for p in parts[1:] if p is not None]
    want = torch.autograd.grad(y, wanted, weight, retain_graph=True)
    ones = torch.autograd.grad(y.sum(), wanted)
    wide = torch.stack([parts[0], parts[0]], -1)[..., 0]
    sizes = torch.full((case.x.shape[0],), case.x.shape[1], dtype=torch.int64)
    for x, layout, back in (
        (parts[0].transpose(0, 1), {"batch_first": True}, lambda y: y.transpose(0, 1)),
        (wide, {}, lambda y: y),
        (parts[0].flatten(0, 1), {"batch_sizes": sizes}, lambda y: y.unflatten(0, case.x.shape[:2])),
    ):
        other, other_last = case.native(parts, masks, x, **layout)
        assert torch.equal(back(other), y)
        assert all(torch.equal(a, b) for a, b in zip(other_last, last, strict=True))
        found = torch.autograd.grad(back(other), wanted, weight, retain_graph=True)
        assert all(torch.equal(a, b) for a, b in zip(found, want, strict=True))
        found = torch.autograd.grad(other.sum(), wanted)
        assert all(torch.equal(a, b) for a, b in zip(found, ones, strict=True))


@pytest.mark.parametrize("name", EVERYTHING)
def test_packed_equals_ragged(name: str) -> None:
    case = everything(name, (4, 5, 3, 9))
    case.lengths = torch.tensor([5, 4, 2, 1])
    sizes = (torch.arange(5)[:, None] < case.lengths).sum(1)
    parts, masks = case.cast(torch.float64)
    y, last = case.native(parts, masks)
    packed, packed_last = case.native(
        parts, masks, torch.cat([parts[0][t, :n] for t, n in enumerate(sizes.tolist())]), batch_sizes=sizes
    )
    assert torch.equal(packed, torch.cat([y[t, :n] for t, n in enumerate(sizes.tolist())]))
    assert all(torch.equal(a, b) for a, b in zip(packed_last, last, strict=True))
    for a, b in zip(gradients((packed, packed_last), parts), gradients((y, last), parts), strict=True):
        assert relative_error(a, b) < 1e-12


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_graph_may_be_kept_and_run_again(name: str) -> None:
    case = everything(name)
    parts, masks = case.cast(torch.float64)
    y, _ = case.native(parts, masks)
    wanted = [p for p in parts if p is not None]
    first = torch.autograd.grad(y.sum(), wanted, retain_graph=True)
    second = torch.autograd.grad(y.sum(), wanted)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", EVERYTHING)
def test_second_derivatives_go_through_the_equations(name: str) -> None:
    """Of the native layer and of the equations, by value."""
    case = everything(name, (2, 3, 2, 5))
    found = []
    for run in (case.native, case.truth):
        parts, masks = case.cast(torch.float64)
        y, last = run(parts, masks)
        wanted = [p for p in parts if p is not None]
        first = torch.autograd.grad(y.square().sum() + last[0].sin().sum(), wanted, create_graph=True)
        found.append(torch.autograd.grad(sum(g.square().sum() for g in first), wanted))
    assert all(relative_error(a, b) < 1e-9 for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("name", ["gru", "reset before", "rnn", "lstm", "normed sides"])
def test_gradcheck(name: str) -> None:
    options, given = EVERYTHING[name]
    smooth = replace(options, clip=None, cell_clip=None, projection_clip=None, gate=("sigmoid", 1.0, 1.0))
    case = Case(KINDS.get(name, LSTM), smooth, (2, 3, 2, 3), masks="d", **{**given, "P": 2 if "P" in given else 0})
    parts, masks = case.cast(torch.float64)
    there = [k for k, p in enumerate(parts) if p is not None]

    def function(*given: Tensor) -> tuple[Tensor, ...]:
        full: list[Tensor | None] = [None] * len(parts)
        for k, part in zip(there, given, strict=True):
            full[k] = part
        y, last = case.native(full, masks)
        return (y, *last)

    assert torch.autograd.gradcheck(function, [parts[k] for k in there])


@pytest.mark.parametrize("instructions", ["avx512", "avx2", "baseline"])
def test_every_instruction_set(instructions: str) -> None:
    """A process of its own each; one that this processor lacks says so."""
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
    assert done.returncode == 0 or "this processor does not have it" in done.stderr, done.stderr
