"""The peak memory of a training step, each layer in a process of its own; and what recomputation saves.

The process builds layer and input, runs a tiny step so that libraries are loaded, resets the peak that Linux keeps of
its resident memory, and runs. The figure is how far the peak rose over what was resident before.
"""

import gc
import inspect
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

import recurra.nn
from benchmarks._layers_cases import THREADS, Options, Shape, call, layers
from benchmarks._layers_check import check
from benchmarks._layers_timing import in_turn
from benchmarks._record import ROOT, Record

SHAPES = (
    Shape(32, 100, 64, 128),
    Shape(64, 100, 128, 256),
    Shape(32, 1000, 64, 256),
    Shape(32, 2000, 64, 256),
)
STEPS = 5
"""Training steps after which the peak is looked at once more."""


def memory(record: Record, options: Options) -> None:
    """Every kind and shape."""
    for kind in options.kinds:
        for shape in SHAPES:
            key = f"memory/{kind}/{shape.name}"
            figures = record.run(
                key, lambda k=kind, s=shape: measured(k, s, options), again=options.again, kind=kind, mode="memory"
            )
            peaks = {who: figures[who]["first"] for who in ("torch", "ours", "recompute") if who in figures}
            print(f"{key}: " + ", ".join(f"{who} {peak:.1f} MiB" for who, peak in peaks.items()), flush=True)


def measured(kind: str, shape: Shape, options: Options) -> dict[str, Any]:
    """The peaks in MiB; where the layer can recompute, its peak and both times too.

    Raises:
        WrongKernelError: if a layer of ours does not compute what torch.nn computes.
    """
    torch.set_num_threads(THREADS)
    both = layers(kind, shape)
    errors = check(f"memory {kind} {shape}", both.torch, both.ours, both.x, "train")
    figures: dict[str, Any] = {who: in_own_process(who, kind, shape) for who in ("torch", "ours")}
    if can_recompute(kind):
        thrifty = layers(kind, shape, recompute=True)
        check(f"memory {kind} {shape}, recompute=True", both.torch, thrifty.ours, both.x, "train")
        figures["recompute"] = in_own_process("recompute", kind, shape)
        works = call("train", both.ours, both.x), call("train", thrifty.ours, both.x)
        figures["ours_ms"], figures["recompute_ms"] = in_turn(*works, budget_s=options.budget_s)
    ratio = round(figures["ours"]["first"] / figures["torch"]["first"], 3)
    return {**figures, **errors, "backend": both.backend, "ratio": ratio, "met": ratio <= 1.0}


def can_recompute(kind: str) -> bool:
    """Whether our layer takes the keyword `recompute`."""
    return "recompute" in inspect.signature(getattr(recurra.nn, kind)).parameters


def in_own_process(who: str, kind: str, shape: Shape) -> dict[str, float]:
    """The peaks of a layer, "torch", "ours" or "recompute", from a fresh Python."""
    command = [sys.executable, "-m", "benchmarks._layers_memory", who, kind, shape.name]
    done = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr}")
    peaks: dict[str, float] = json.loads(done.stdout)
    return peaks


def peaks_here(who: str, kind: str, shape: Shape) -> dict[str, float]:
    """MiB by which the peak rises in the first training step, and in the first STEPS of them."""
    torch.set_num_threads(THREADS)
    both = layers(kind, shape, **({"recompute": True} if who == "recompute" else {}))
    layer = both.torch if who == "torch" else both.ours
    x = both.x
    del both
    call("train", layer, x[:1, :2])()
    layer.zero_grad(set_to_none=True)
    gc.collect()
    before = kib("VmRSS")
    step = call("train", layer, x)
    forget_peak()
    step()
    first = peak_kib() - before
    for _ in range(STEPS - 1):
        step()
    return {"first": round(first / 1024, 2), "steps": round((peak_kib() - before) / 1024, 2)}


def kib(field: str) -> int:
    """A line of /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{field}:")).split()[1])


def forget_peak() -> None:
    """Set the kept peak to what is resident now, where Linux allows it; else it stays that of the whole process."""
    place = Path("/proc/self/clear_refs")
    try:
        place.write_text("5")
    except OSError as error:
        print(f"the peak before the step counts too: {error}", file=sys.stderr)


def peak_kib() -> int:
    """The kept peak."""
    try:
        return kib("VmHWM")
    except StopIteration:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    print(json.dumps(peaks_here(sys.argv[1], sys.argv[2], Shape.named(sys.argv[3]))))
