"""JAX's scan, torch.nn and ours, strictly in turn: JAX in a process of its own (_layers_jax).

`make peers` installs JAX into .venvs/jax, at the versions of constraints.txt; without it the part says so and is left
out. A turn of each is a pause in which waiting threads of the one before go to sleep, a call that does not count, and
the call that does.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks._layers_cases import MODES, SHAPES, THREADS, Layers, Options, Shape, call, layers
from benchmarks._layers_check import check, compare, results
from benchmarks._record import ROOT, Record

PYTHON = ROOT.parent / ".venvs" / "jax" / "bin" / "python"
WIDER = (Shape(1, 1000, 16, 256), Shape(8, 100, 100, 200), Shape(256, 100, 16, 33), Shape(4, 100, 1, 512))
"""Shapes besides the six."""
UNROLLS = (1, 4)
"""Steps that lax.scan writes out at once; the better one counts."""
PAUSE_S = 0.005
LEAST = 15
NAMES = {"w": "weight_ih_l0", "u": "weight_hh_l0", "bw": "bias_ih_l0", "bu": "bias_hh_l0"}
"""JAX's weights, which are transposed, and torch.nn's."""


class Scan:
    """The process that runs JAX."""

    def __init__(self, python: Path, threads: int) -> None:
        command = [str(python), str(ROOT / "_layers_jax.py"), str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Scan":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command, wait for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the JAX process ended with code {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def load(self, kind: str, mode: str, unroll: int, both: Layers) -> dict[str, Tensor]:
        """Compile a layer with torch.nn's weights; gives what it computes, under the names of `results`."""
        weights = {name: getattr(both.torch, theirs).detach().numpy().T for name, theirs in NAMES.items()}
        with tempfile.TemporaryDirectory() as folder:
            there, back = Path(folder) / "in.npz", Path(folder) / "out.npz"
            np.savez(there, x=both.x.numpy(), **weights)
            self.ask(load=str(there), save=str(back), kind=kind, mode=mode, unroll=unroll)
            with np.load(back) as arrays:
                found = {name: arrays[name] for name in arrays.files}
        named = {"output": found["y"]}
        named |= {name.replace("state", "state "): part[None] for name, part in found.items() if "state" in name}
        named |= {f"gradient of {NAMES[name[1:]]}": part.T for name, part in found.items() if name[0] == "d"}
        return {name: torch.from_numpy(part) for name, part in named.items()}

    def seconds(self) -> float:
        """One call that does not count and one that does."""
        return float(self.ask(run=2)["seconds"])


def scan(record: Record, options: Options) -> None:
    """Every kind, mode and shape, if JAX is installed."""
    if not PYTHON.exists():
        print("jax: left out, JAX is not installed; `make peers` installs it into .venvs/jax", flush=True)
        return
    with Scan(PYTHON, THREADS) as process:
        for kind in options.kinds:
            for mode in MODES:
                for shape in (*SHAPES, *WIDER):
                    key = f"jax/{mode}/{kind}/{shape.name}"
                    figures = record.run(
                        key,
                        lambda k=kind, m=mode, s=shape: compared(process, m, k, s, options.budget_s),
                        again=options.again,
                        kind=kind,
                        mode=mode,
                    )
                    print(
                        f"{key}: JAX {figures['jax_ms']:.3f} ms, torch.nn {figures['torch_ms']:.3f} ms, "
                        f"ours {figures['ours_ms']:.3f} ms, ratio {figures['ratio']:.2f}",
                        flush=True,
                    )


def compared(process: Scan, mode: str, kind: str, shape: Shape, budget_s: float) -> dict[str, Any]:
    """Check ours and JAX's, then time all three, once for each way to unroll.

    Raises:
        WrongKernelError: if ours or JAX's do not compute what torch.nn computes.
    """
    torch.set_num_threads(THREADS)
    both = layers(kind, shape)
    errors = check(f"jax {mode} {kind} {shape}", both.torch, both.ours, both.x, mode)
    theirs, ours = (twice(call(mode, layer, both.x)) for layer in (both.torch, both.ours))
    truth = results(both.torch.double(), both.x.double(), mode)
    both.torch.float()
    best: dict[int, list[float]] = {}
    for unroll in UNROLLS:
        compare(f"JAX's scan, {mode} {kind} {shape}", process.load(kind, mode, unroll, both), truth)
        best[unroll] = in_pauses(process.seconds, theirs, ours, budget_s=budget_s / len(UNROLLS))
    unroll = min(best, key=lambda n: best[n][0])
    jax_ms, torch_ms, ours_ms = (min(times) for times in zip(*best.values(), strict=True))
    return {
        "jax_ms": jax_ms,
        "torch_ms": torch_ms,
        "ours_ms": ours_ms,
        "ratio": round(jax_ms / ours_ms, 3),
        "unroll": unroll,
        "backend": both.backend,
        **errors,
    }


def twice(work: Callable[[], None]) -> Callable[[], float]:
    """A call that does not count, and one that gives its seconds."""

    def seconds() -> float:
        work()
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return seconds


def in_pauses(*works: Callable[[], float], budget_s: float) -> list[float]:
    """The best of each in milliseconds; each work gives its own seconds."""
    best = [float("inf")] * len(works)
    end = time.perf_counter() + budget_s
    turns = 0
    while turns < LEAST or time.perf_counter() < end:
        for i, work in enumerate(works):
            time.sleep(PAUSE_S)
            best[i] = min(best[i], work())
        turns += 1
    return [round(seconds * 1e3, 5) for seconds in best]
