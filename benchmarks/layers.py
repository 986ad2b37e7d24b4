"""The recurrent layers beside torch.nn's and JAX's scan: time, share of the machine's peak, memory.

python -m benchmarks.layers [--part P] [--kind K] [--budget_s S] [--again] [--report]

Every time is the best of at least 15 calls, ours and torch.nn's strictly in turn in one process, JAX's in a process of
its own that computes when it is its turn. A kernel whose result differs from torch.nn's in float64 is not timed: the
benchmark ends and names the case. JAX comes by `make peers`.
"""

import argparse
from collections.abc import Callable

from benchmarks import _layers_grid, _layers_memory, _layers_peers, _layers_report, _layers_shapes, _layers_step
from benchmarks._layers_cases import KINDS, Options
from benchmarks._record import Record

PROTOCOL = (
    "float32, 2 threads, batch first, weights from seed 0. Training: gradients cleared, layer(x)[0].sum().backward(), "
    "so gradients of all weights; inference: under no_grad. Best of at least 15 calls each, torch.nn and ours strictly "
    "in turn. Every case is first held against torch.nn in float64: outputs and states within 2e-6, gradients within "
    "2e-5, as norm(a - b) / norm(b). GFLOP/s count the products of a call only."
)
PARTS: dict[str, Callable[[Record, Options], None]] = {
    "peak": _layers_shapes.peak,
    "train": lambda record, options: _layers_shapes.shapes("train", record, options),
    "infer": lambda record, options: _layers_shapes.shapes("infer", record, options),
    "ragged": _layers_shapes.ragged,
    "step": _layers_step.step,
    "memory": _layers_memory.memory,
    "jax": _layers_peers.scan,
    "grid": _layers_grid.grid,
}


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--kind", choices=KINDS, help="only this recurrence")
    parser.add_argument("--budget_s", type=float, default=Options.budget_s, help="seconds of one comparison")
    parser.add_argument("--cap_s", type=float, default=Options.cap_s, help="the longest call of torch.nn in the grid")
    parser.add_argument("--again", action="store_true", help="make figures anew that are there")
    parser.add_argument("--report", action="store_true", help="only print the tables of the runs that are there")
    arguments = parser.parse_args()
    record = Record("layers", PROTOCOL)
    if not arguments.report:
        kinds = (arguments.kind,) if arguments.kind else KINDS
        options = Options(kinds, arguments.budget_s, arguments.cap_s, arguments.again)
        for part in PARTS if arguments.part == "all" else [arguments.part]:
            PARTS[part](record, options)
    print(_layers_report.report(record.runs))


if __name__ == "__main__":
    main()
