"""The machine's peak, the six shapes, and ragged batches: torch.nn and ours in turn, against their bars."""

from typing import Any

import torch

from benchmarks._layers_cases import BARS, MODES, SHAPES, THREADS, Options, Shape, call, layers, operations
from benchmarks._layers_check import check, run
from benchmarks._layers_timing import in_turn
from benchmarks._record import Record
from recurra.kernels.machine import instruction_set, peak_flops

RAGGED = Shape(32, 100, 16, 64)
RAGGED_BARS = {"LSTM": 5.0, "GRU": 6.0, "RNN": 6.0}


def peak(record: Record, options: Options) -> None:
    """The fused multiply-adds that one and two threads can do, best of many."""

    def measure() -> dict[str, Any]:
        torch.set_num_threads(THREADS)
        rates = {str(n): max(peak_flops(n) for _ in range(50)) for n in (1, THREADS)}
        return {"gflops": {n: round(rate / 1e9, 1) for n, rate in rates.items()}, "isa": instruction_set()}

    found = record.run("peak", measure, again=options.again)["gflops"]
    print("peak: " + ", ".join(f"{rate} GFLOP/s on {n} thread(s)" for n, rate in found.items()), flush=True)


def shapes(mode: str, record: Record, options: Options) -> None:
    """The six shapes of one mode, "train" or "infer"."""
    assert mode in MODES
    if "peak" not in record.runs:
        peak(record, options)
    top = record.runs["peak"]["gflops"][str(THREADS)]
    for kind in options.kinds:
        for shape, bar in zip(SHAPES, BARS[mode][kind], strict=True):
            key = f"{mode}/{kind}/{shape.name}"
            figures = record.run(
                key,
                lambda k=kind, s=shape, b=bar: compared(mode, k, s, b, top, options.budget_s),
                again=options.again,
                kind=kind,
                mode=mode,
            )
            print(line(key, figures), flush=True)


def compared(mode: str, kind: str, shape: Shape, bar: float, top: float, budget_s: float) -> dict[str, Any]:
    """Check, then time both layers.

    Args:
        mode: "train" or "infer".
        kind: LSTM, GRU or RNN.
        shape: sizes.
        bar: the ratio to reach.
        top: the machine's peak, GFLOP/s.
        budget_s: of the comparison.

    Raises:
        WrongKernelError: if ours does not compute what torch.nn computes.
    """
    torch.set_num_threads(THREADS)
    both = layers(kind, shape)
    errors = check(f"{mode} {kind} {shape}", both.torch, both.ours, both.x, mode)
    theirs_ms, ours_ms = in_turn(call(mode, both.torch, both.x), call(mode, both.ours, both.x), budget_s=budget_s)
    rate = operations(mode, kind, shape) / ours_ms / 1e6
    return {
        **against(theirs_ms, ours_ms, bar),
        **errors,
        "backend": both.backend,
        "gflops": round(rate, 1),
        "share_of_peak": round(rate / top, 3),
    }


def against(theirs_ms: float, ours_ms: float, bar: float) -> dict[str, Any]:
    """Both times, their ratio, and whether it reaches the bar."""
    ratio = theirs_ms / ours_ms
    return {"torch_ms": theirs_ms, "ours_ms": ours_ms, "ratio": round(ratio, 3), "bar": bar, "met": ratio >= bar}


def line(key: str, figures: dict[str, Any]) -> str:
    """A comparison for whoever watches."""
    return (
        f"{key}: torch.nn {figures['torch_ms']:.3f} ms, ours {figures['ours_ms']:.3f} ms ({figures['backend']}), "
        f"ratio {figures['ratio']:.2f}, bar {figures['bar']:g}: {'met' if figures['met'] else 'missed'}"
    )


def ragged(record: Record, options: Options) -> None:
    """Training on rows of 1 to 100 steps, against torch.nn on the packed batch, packing and padding included."""
    for kind in options.kinds:
        key = f"ragged/{kind}"
        figures = record.run(
            key, lambda k=kind: ragged_compared(k, options.budget_s), again=options.again, kind=kind, mode="ragged"
        )
        print(line(key, figures), flush=True)


def ragged_compared(kind: str, budget_s: float) -> dict[str, Any]:
    """Check, then time both layers on one ragged batch.

    Raises:
        WrongKernelError: if ours does not compute what torch.nn computes.
    """
    torch.set_num_threads(THREADS)
    both = layers(kind, RAGGED)
    lengths = torch.randint(1, RAGGED.steps + 1, (RAGGED.batch,), generator=torch.Generator().manual_seed(0))
    lengths[0] = RAGGED.steps
    errors = check(f"ragged {kind}", both.torch, both.ours, both.x, "train", lengths)

    def train(layer: torch.nn.Module) -> None:
        y, _ = run(layer, both.x, lengths)
        layer.zero_grad()
        y.sum().backward()

    theirs_ms, ours_ms = in_turn(lambda: train(both.torch), lambda: train(both.ours), budget_s=budget_s)
    return {**against(theirs_ms, ours_ms, RAGGED_BARS[kind]), **errors, "backend": both.backend}
