"""Arguments that are wrong on purpose: each gives a right answer or a clear error, and none ends the process.

What might end it runs in a process of its own, whose memory is limited so that no test fills the machine's.
"""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence

import recurra.nn
from recurra.errors import DeviceError, DtypeError, RecurraError, ShapeError
from recurra.kernels import native_is_built
from recurra.kernels._compiled import native
from tests.tolerances import relative_error

pytestmark = pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")

KINDS = ("RNN", "LSTM", "GRU")
NO_MEMORY = "allocate|overflow|too large"  # PyTorch's words, and ours


def build(kind: str, inputs: int = 3, hidden: int = 5, **options: Any) -> torch.nn.Module:
    torch.manual_seed(3)
    return getattr(recurra.nn, kind)(inputs, hidden, backend="native", **options)


def state_of(kind: str, part: torch.Tensor) -> Any:
    return (part, part) if kind == "LSTM" else part


def in_a_process(case: Callable[[], None], gigabytes: int = 8) -> None:
    code = (
        "import resource\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({gigabytes << 30}, {gigabytes << 30}))\n"
        f"from tests.kernels import test_hostile\ntest_hostile.{case.__name__}()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr}"


def native_call(T: int, B: int, I: int, H: int, *, lengths: int = 0, batch_sizes: int = 0) -> None:  # noqa: E741
    """A plain layer by addresses, of which none is valid."""
    assert native is not None
    sizes = (T, B, I, H, H, 1, False, 1, lengths, batch_sizes)
    native.forward(0, 0, False, *sizes, 64, 0, 0, 64, 0, 0, [64, 64, 0, 0, 0], 0, 0, 64, 0, False, False, None)


def sizes_that_overflow() -> None:
    large = 2**62
    for sizes in ((large, 4, 1, 1), (4, large, 1, 1), (2**31, 2**31, 1, 1), (4, 4, 1, large), (4, 4, large, 1)):
        with pytest.raises(ValueError, match="too large"):
            native_call(*sizes)
    for sizes in ((-1, 1, 1, 1), (1, -1, 1, 1), (1, 1, -1, 1), (1, 1, 1, -1)):
        with pytest.raises(ValueError, match="negative"):
            native_call(*sizes)
    with pytest.raises(TypeError):
        native_call(2**64, 1, 1, 1)
    for lying in ([2, 3], [9, 1], [2, -1]):
        sizes_there = torch.tensor(lying)
        with pytest.raises(ValueError, match="batch_sizes"):
            native_call(2, 2, 1, 1, batch_sizes=sizes_there.data_ptr())
    for lying in ([3, 0], [-1, 2]):
        lengths = torch.tensor(lying)
        with pytest.raises(ValueError, match="length"):
            native_call(2, 2, 1, 1, lengths=lengths.data_ptr())


def more_than_memory_holds() -> None:
    for kind in KINDS:
        layer = build(kind)
        one = torch.zeros(1, 1, 3)
        for shape in ((2**45, 1, 3), (1, 2**31, 3), (2**31, 2**31, 3), (2**61, 1, 3)):
            with pytest.raises((RuntimeError, MemoryError), match=NO_MEMORY):
                layer(one.expand(shape))
        y, last = layer(torch.zeros(2**40, 0, 3))  # steps without rows take no memory
        assert y.shape == (2**40, 0, 5)
        assert (last[0] if kind == "LSTM" else last).shape == (1, 0, 5)
        y.sum().backward()
        assert all(not p.grad.any() for p in layer.parameters())


def packed_batches_that_lie() -> None:
    rows = torch.randn(6, 3)
    lies = ([3, 4], [7], [3, 2], [3, 2, 2], [6, 0], [3, 3, 0], [7, -1], [0], [], [2**62] * 4, [2**40, 6], [-6])
    for kind in KINDS:
        for bidirectional in (False, True):
            layer = build(kind, bidirectional=bidirectional)
            for lie in lies:
                packed = PackedSequence(rows, torch.tensor(lie, dtype=torch.int64))
                with pytest.raises(ShapeError, match="batch_sizes"):
                    layer(packed)
            with pytest.raises(ShapeError, match="batch_sizes"):
                layer(PackedSequence(torch.zeros(0, 3), torch.tensor([2**62] * 4)))
            with pytest.raises(RecurraError):
                layer(PackedSequence(rows, torch.tensor([[3], [3]])))


def memory_that_was_let_go() -> None:
    for kind in KINDS:
        x = torch.zeros(2, 1, 3)
        x.untyped_storage().resize_(0)
        with torch.no_grad(), pytest.raises((RecurraError, RuntimeError), match=r"memory|storage"):
            build(kind)(x)
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_hh_l0"):
            layer = build(kind)
            stepper = recurra.nn.Stepper(layer)
            getattr(layer, name).untyped_storage().resize_(0)
            refused = pytest.raises((RecurraError, RuntimeError), match=r"memory|storage")
            with torch.no_grad(), refused:
                layer(torch.zeros(2, 1, 3))
            with refused:
                stepper.step(torch.zeros(3))
            with refused:
                stepper.step(torch.zeros(3).numpy())
            with refused:
                recurra.nn.Stepper(layer)
            with refused:
                layer.freeze()


def weights_that_shrink() -> None:
    for kind in KINDS:
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            layer, frozen = build(kind), build(kind).freeze()
            stepper = recurra.nn.Stepper(layer)
            for one in (layer, frozen):
                part = getattr(one, name)
                part.data = torch.zeros([1] * part.dim())
                with pytest.raises(ShapeError):
                    one(torch.zeros(2, 1, 3))
            with pytest.raises(ShapeError):
                stepper.step(torch.zeros(3))
            with pytest.raises(ShapeError):
                recurra.nn.Stepper(layer)
            with pytest.raises(ShapeError):
                layer.freeze()


def lengths_that_nobody_looked_at() -> None:
    """While a graph is traced the values of lengths cannot be seen; the kernels look at them."""
    for kind in KINDS:
        compiled = torch.compile(build(kind), backend="eager")
        x = torch.zeros(4, 2, 3)
        assert compiled(x, lengths=torch.tensor([4, 1]))[0].shape == (4, 2, 5)
        for lie in ([5, 1], [-1, 2], [2**62, 2]):
            with pytest.raises(ShapeError, match="length"):
                compiled(x, lengths=torch.tensor(lie))


@pytest.mark.parametrize(
    "case",
    [
        sizes_that_overflow,
        more_than_memory_holds,
        packed_batches_that_lie,
        memory_that_was_let_go,
        weights_that_shrink,
        lengths_that_nobody_looked_at,
    ],
    ids=lambda case: case.__name__,
)
def test_the_process_survives(case: Callable[[], None]) -> None:
    in_a_process(case)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_types_devices_and_shapes_are_refused(kind: str) -> None:
    layer = build(kind)
    x, h = torch.zeros(2, 4, 3), torch.zeros(1, 4, 5)
    for dtype in (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.complex64):
        with pytest.raises(DtypeError):
            layer(x.to(dtype))
        with pytest.raises(DtypeError):
            layer(x, state_of(kind, h.to(dtype)))
    for nothing in (None, x.numpy(), x.tolist(), 3):
        with pytest.raises(DtypeError):
            layer(nothing)
    with pytest.raises((DeviceError, RecurraError)):
        layer(x.to("meta"))
    with pytest.raises(DeviceError):
        layer(x, state_of(kind, h.to("meta")))
    for shape in ((2, 4, 2), (2, 4, 0), (2,), (2, 4, 3, 1), ()):
        with pytest.raises(ShapeError):
            layer(torch.zeros(shape))
    for shape in ((1, 4, 4), (1, 3, 5), (2, 4, 5), (4, 5), (1, 4, 0), (0, 4, 5)):
        with pytest.raises(ShapeError):
            layer(x, state_of(kind, torch.zeros(shape)))


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_that_cannot_be_are_refused(kind: str) -> None:
    layer, x = build(kind), torch.zeros(2, 4, 3)
    for lengths in ([3, 1, 1, 1], [-1, 2, 2, 2], [2, 2, 2], [[2, 2, 2, 2]], [2**62, 2, 2, 2], [-(2**63), 2, 2, 2]):
        with pytest.raises(ShapeError):
            layer(x, lengths=torch.tensor(lengths))
    with pytest.raises(ShapeError):
        layer(x, lengths=torch.tensor([2**64 - 1, 2, 2, 2], dtype=torch.uint64))
    for dtype in (torch.float32, torch.bool, torch.complex64):
        with pytest.raises(DtypeError):
            layer(x, lengths=torch.ones(4, dtype=dtype))
    with pytest.raises(DeviceError):
        layer(x, lengths=torch.ones(4, dtype=torch.int64, device="meta"))


def gradients(layer: torch.nn.Module, x: torch.Tensor, h: Any) -> list[torch.Tensor]:
    y, last = layer(x, h)
    h_n = last[0] if isinstance(last, tuple) else last
    loss = (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)).sum() + h_n.sum()
    return [y.detach(), h_n.detach(), *torch.autograd.grad(loss, [*layer.parameters()])]


@pytest.mark.parametrize("kind", KINDS)
def test_strides_of_zero_and_overlapping_rows_give_the_right_answer(kind: str) -> None:
    """Expected numbers are those of the reference backend on a copy in one piece."""
    base, h = torch.randn(9, 4, 3).double(), torch.randn(1, 4, 5).double()
    series = torch.randn(40).double()
    inputs = {
        "one step, repeated": base[:1].expand(7, 4, 3),
        "one row, repeated": base[:, :1].expand(9, 4, 3),
        "one number, repeated": base[:1, :1, :1].expand(9, 4, 3),
        "one feature, repeated": base[..., :1].expand(9, 4, 3),
        "windows that overlap": series.as_strided((9, 4, 3), (1, 2, 1)),
        "every second feature": torch.randn(9, 4, 6).double()[..., ::2],
        "backwards in memory": base.permute(2, 1, 0).contiguous().permute(2, 1, 0),
        "negated when read": torch._neg_view(base),
        "past an offset": torch.randn(11, 6, 5).double()[2:, 1:5, 2:],
    }
    states = {
        "one row, repeated": h[:, :1].expand(1, 4, 5),
        "one number, repeated": h[:, :1, :1].expand(1, 4, 5),
        "transposed": torch.randn(5, 4, 1).double().permute(2, 1, 0),
        "negative": torch._neg_view(h),
    }
    assert torch._neg_view(h).is_neg()
    ours = build(kind).double()
    ours.backend = "auto"
    truth = build(kind).double()
    truth.backend = "reference"
    calls = [(name, x, h) for name, x in inputs.items()] + [(name, base, part) for name, part in states.items()]
    for name, x, part in calls:
        dense = state_of(kind, part.resolve_neg().clone(memory_format=torch.contiguous_format))
        wanted = gradients(truth, x.resolve_neg().clone(memory_format=torch.contiguous_format), dense)
        for found, expected in zip(gradients(ours, x, state_of(kind, part)), wanted, strict=True):
            assert relative_error(found, expected) < 1e-12, name


@pytest.mark.parametrize("kind", KINDS)
def test_an_incoming_gradient_may_be_a_negative_view(kind: str) -> None:
    layer, x = build(kind).double(), torch.randn(4, 2, 3).double()
    y, _ = layer(x)
    dy = torch.randn_like(y)
    wanted = torch.autograd.grad(y, [*layer.parameters()], -dy, retain_graph=True)
    found = torch.autograd.grad(y, [*layer.parameters()], torch._neg_view(dy))
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_a_stepper_takes_a_negative_view() -> None:
    layer, x = build("GRU").double(), torch.randn(3).double()
    with torch.no_grad():
        assert torch.equal(recurra.nn.Stepper(layer).step(torch._neg_view(x)), recurra.nn.Stepper(layer).step(-x))
