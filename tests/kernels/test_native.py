"""The native kernels against the equations in float64: values, every gradient, odd sizes, ragged, threads, poison."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

import recurra.nn
from recurra.kernels import ACTIVATIONS, native_is_built
from tests.tolerances import relative_error

pytestmark = pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")

SIZES = (
    (1, 1, 1, 1),
    (3, 7, 5, 33),
    (13, 5, 16, 64),
    (5, 4, 70, 100),
    (0, 3, 2, 4),
    (2, 0, 3, 5),
    (101, 2, 60, 200),
    (9, 1, 20, 40),
)
KINDS = ("RNN", "LSTM", "GRU", "reset before")
FORWARD = {torch.float32: 2e-6, torch.float64: 1e-12}
GRADIENT = {torch.float32: 2e-5, torch.float64: 1e-12}


@pytest.fixture
def threads() -> Iterator[None]:
    """Puts the number of threads back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def network(
    kind: str, inputs: int, hidden: int, dtype: torch.dtype, backend: str, **options: object
) -> torch.nn.Module:
    torch.manual_seed(5)
    if kind == "projected":
        kind, options = "LSTM", {**options, "proj_size": max(1, hidden // 2)}
    if kind == "reset before":
        kind, options = "GRU", {**options, "reset_after": False}
    return getattr(recurra.nn, kind)(inputs, hidden, dtype=dtype, backend=backend, **options)


def results(
    layer: torch.nn.Module, x: torch.Tensor, lengths: torch.Tensor | None
) -> tuple[list[torch.Tensor], tuple[torch.Tensor, ...]]:
    """Outputs and states, and the gradients of the input and of every weight."""
    x = x.detach().requires_grad_()
    y, last = layer(x, lengths=lengths)
    outputs = [y, *(last if isinstance(last, tuple) else (last,))]
    loss = y.square().sum() + sum(part.sin().sum() for part in outputs[1:])
    if not loss.requires_grad:  # the equations of no steps use no weight
        return outputs, ()
    return outputs, torch.autograd.grad(loss, [x, *layer.parameters()])


def assert_equals_the_equations(
    kind: str, size: tuple[int, int, int, int], dtype: torch.dtype, lengths: torch.Tensor | None, **options: object
) -> None:
    batch, steps, inputs, hidden = size
    torch.manual_seed(1)
    x = torch.randn(batch, steps, inputs, dtype=dtype)
    x = x if options.get("batch_first") else x.transpose(0, 1)
    ours = network(kind, inputs, hidden, dtype, "native", **options)
    truth = network(kind, inputs, hidden, torch.float64, "reference", **options)
    truth.load_state_dict(ours.state_dict())
    found, wanted = results(ours, x, lengths), results(truth, x.double(), lengths)
    for group, bound in ((0, FORWARD[dtype]), (1, GRADIENT[dtype])):
        for a, b in zip(found[group], wanted[group] or map(torch.zeros_like, found[group]), strict=True):
            assert a.shape == b.shape
            if b.numel() and bool(b.any()):
                assert relative_error(a, b) < bound
            else:
                assert not a.any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", [*KINDS, "projected"])
def test_values_and_gradients(kind: str, size: tuple[int, int, int, int], dtype: torch.dtype) -> None:
    if kind == "projected" and size[3] < 2:
        size = (*size[:3], 3)
    batch, steps = size[:2]
    ragged = torch.arange(batch) * 2 % (steps + 1)
    for num_layers, bidirectional, batch_first in ((1, False, True), (3, True, False)):
        options = {"num_layers": num_layers, "bidirectional": bidirectional, "batch_first": batch_first}
        for lengths in (None, ragged):
            assert_equals_the_equations(kind, size, dtype, lengths, **options)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation(name: str) -> None:
    for dtype in (torch.float32, torch.float64):
        assert_equals_the_equations("RNN", (5, 4, 3, 19), dtype, torch.tensor([4, 0, 3, 1, 4]), nonlinearity=name)


@pytest.mark.parametrize("kind", KINDS)
def test_one_to_four_threads_agree_and_repeat_bit_by_bit(kind: str, threads: None) -> None:
    for size in ((9, 20, 16, 64), (2, 12, 64, 256)):  # rows among threads, neurons among threads
        batch, steps, inputs, hidden = size
        layer, x = network(kind, inputs, hidden, torch.float32, "native"), torch.randn(steps, batch, inputs)
        first = None
        for count in (1, 2, 3, 4):
            torch.set_num_threads(count)
            (y, *_), gradients = results(layer, x, None)
            (again, *_), gradients_again = results(layer, x, None)
            assert torch.equal(y, again)
            assert all(torch.equal(a, b) for a, b in zip(gradients, gradients_again, strict=True))
            first = first if first is not None else (y, gradients)
            assert relative_error(y, first[0]) < 1e-6
            assert max(relative_error(a, b) for a, b in zip(gradients, first[1], strict=True)) < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_memory_held_before_is_read(kind: str) -> None:
    """Memory is filled with NaN and let go; the next call gets it."""
    layer = network(kind, 5, 33, torch.float32, "native", batch_first=True)
    x, lengths = torch.randn(4, 9, 5), torch.tensor([9, 0, 4, 1])
    clean = results(layer, x, lengths)
    poisoned = x.clone()
    for row, length in enumerate(lengths.tolist()):
        poisoned[row, length:] = torch.nan
    for _ in range(3):
        waste = [torch.full((n,), torch.nan) for n in (4 * 9 * 33, 4 * 33, 4 * 33 * 33, 4 * 33 * 5, 4 * 33)]
        del waste
        for a, b in zip(itertools.chain(*results(layer, poisoned, lengths)), itertools.chain(*clean), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_a_nan_stays_in_its_row_and_large_numbers_make_none(kind: str) -> None:
    layer = network(kind, 5, 33, torch.float32, "native", batch_first=True)
    x = torch.randn(7, 4, 5)
    x[3, 1] = torch.nan
    y, _ = layer(x)
    assert y[3, 1:].isnan().all()
    assert not y[[0, 1, 2, 4, 5, 6]].isnan().any()
    assert not y[3, 0].isnan().any()
    for large in (1e4, 1e30, torch.finfo(torch.float32).max):
        signs = torch.ones(7, 4, 5)
        signs[::2] = -1
        small = network(kind, 5, 33, torch.float32, "native", batch_first=True)
        for p in small.parameters():
            p.data.abs_().mul_(0.1)
        assert small(large * signs)[0].isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_nan_stays_in_its_row_of_the_gradients_and_in_both_directions(kind: str) -> None:
    layer = network(kind, 5, 33, torch.float32, "native", batch_first=True, bidirectional=True)
    x = torch.randn(7, 4, 5)
    x[3, 1] = torch.nan
    (_, *last), (dx, *_) = results(layer, x, None)
    others = [0, 1, 2, 4, 5, 6]
    assert not dx[others].isnan().any()
    assert not any(part[:, others].isnan().any() for part in last)


@pytest.mark.parametrize("gate", range(4))
@pytest.mark.parametrize("bias", [-20.0, -10.0, -5.0, 5.0, 10.0])
def test_gates_that_are_nearly_closed_are_exact_relative_to_their_size(bias: float, gate: int) -> None:
    layer = network("LSTM", 4, 32, torch.float32, "native")
    layer.bias_ih_l0.data[32 * gate : 32 * (gate + 1)] = bias
    truth = network("LSTM", 4, 32, torch.float64, "reference")
    truth.load_state_dict(layer.state_dict())
    x = torch.randn(12, 3, 4)
    outputs, gradients = results(layer, x, None)
    wanted, wanted_gradients = results(truth, x.double(), None)
    assert max(relative_error(a, b) for a, b in zip(outputs, wanted, strict=True)) < FORWARD[torch.float32]
    if bias < 0:  # 1 - sigma(10) has few digits in float32, whoever computes it
        assert max(relative_error(a, b) for a, b in zip(gradients, wanted_gradients, strict=True)) < 2e-5


@pytest.mark.parametrize("kind", KINDS)
def test_a_saturated_neuron_has_no_gradient(kind: str) -> None:
    """Of inputs of 1e30 no weight's gradient is anything but zero, as in the equations in float64."""
    layer = network(kind, 4, 32, torch.float32, "native")
    signs = torch.where(torch.randn(6, 3, 4) > 0, 1.0, -1.0)
    _, (_, *gradients) = results(layer, 1e30 * signs, None)
    assert gradients[0].isfinite().all()
    assert float(gradients[0].abs().max()) < 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_strided_input_and_expanded_gradients(kind: str) -> None:
    layer = network(kind, 6, 20, torch.float64, "native", batch_first=True)
    x = torch.randn(3, 5, 6, dtype=torch.float64)
    wide = torch.stack([x, x], -1)[..., 0]
    every_second = torch.stack([x, x], 2).flatten(1, 2)[:, ::2]
    first = None
    for given in (x, wide, every_second, x.transpose(0, 1).contiguous().transpose(0, 1)):
        y, _ = layer(given)
        expanded = torch.autograd.grad(y.sum(), list(layer.parameters()), retain_graph=True)
        dense = torch.autograd.grad(y, list(layer.parameters()), torch.ones_like(y))
        first = first if first is not None else (y, *expanded)
        assert all(torch.equal(a, b) for a, b in zip((y, *expanded), first, strict=True))
        assert all(torch.equal(a, b) for a, b in zip((y, *dense), first, strict=True))


@pytest.mark.parametrize("instructions", ["avx512", "avx2", "baseline"])
def test_every_instruction_set(instructions: str) -> None:
    """A process of its own each."""
    code = (
        "import torch\nfrom tests.kernels.test_native import assert_equals_the_equations as check\n"
        "from recurra.kernels._compiled import native\n"
        f"assert native.instruction_set() == {instructions!r}\n"
        "for kind in ('RNN', 'LSTM', 'GRU', 'reset before', 'projected'):\n"
        "    for dtype in (torch.float32, torch.float64):\n"
        "        check(kind, (7, 5, 9, 37), dtype, torch.tensor([5, 0, 2, 4, 1, 3, 5]), bidirectional=True)\n"
        "        check(kind, (1, 6, 3, 20), dtype, None)\n"
    )
    environment = {**os.environ, "RECURRA_CPU_ISA": instructions}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if "this processor does not have it" in done.stderr:
        pytest.skip(f"this processor does not have {instructions}")
    assert done.returncode == 0, done.stderr


def test_an_unknown_instruction_set_is_refused() -> None:
    environment = {**os.environ, "RECURRA_CPU_ISA": "mmx"}
    code = "from recurra.kernels._compiled import native; native.instruction_set()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert "RECURRA_CPU_ISA should be avx512, avx2, baseline or auto, got: mmx" in done.stderr


def test_a_forked_child_computes_too() -> None:
    code = (
        "import os, torch, recurra.nn\n"
        "layer, x = recurra.nn.GRU(16, 64, backend='native'), torch.randn(50, 32, 16)\n"
        "torch.set_num_threads(2)\n"
        "want = layer(x)[0].detach().clone()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    with torch.no_grad():\n"
        "        same = [bool((layer(x)[0].numpy() == want.numpy()).all()) for _ in range(3)]  # torch has none\n"
        "    os._exit(0 if all(same) else 3)\n"
        "status = os.waitpid(pid, 0)[1]\n"
        "assert torch.equal(layer(x)[0], want)\n"
        "raise SystemExit(os.waitstatus_to_exitcode(status))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_may_be_kept_and_run_again(kind: str) -> None:
    layer = network(kind, 3, 17, torch.float64, "native")
    y, _ = layer(torch.randn(4, 2, 3, dtype=torch.float64))
    parameters = list(layer.parameters())
    first = torch.autograd.grad(y.sum(), parameters, retain_graph=True)
    second = torch.autograd.grad(y.sum(), parameters)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(y.sum(), parameters)
