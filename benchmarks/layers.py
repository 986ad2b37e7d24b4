"""The recurrent layers on the CPU: ours, torch.nn's and JAX's scan, strictly in turn; and what the machine could do.

python -m benchmarks.layers [--part P] [--kind K] [--budget_s S] [--cap_s S] [--again] [--report]

Parts: peak (fused multiply-adds that one and two threads can do), train and infer (six shapes, against their bars),
ragged (rows of 1 to 100 steps), step (one observation), options (layers with them, against torch.nn's plain ones),
memory (peaks of a training step), grid (is ours slower anywhere?), jax (needs `make peers`). A part goes on where it
stopped; --again makes its figures anew. A kernel that does not compute what torch.nn (with options: the equations)
computes in float64 is not timed: the benchmark ends with an error that names the case.
"""

import argparse
from collections.abc import Callable
from functools import partial

from benchmarks._layers_cases import KINDS, Options
from benchmarks._layers_grid import grid
from benchmarks._layers_memory import memory
from benchmarks._layers_options import with_options
from benchmarks._layers_peers import scan
from benchmarks._layers_report import report
from benchmarks._layers_shapes import peak, ragged, shapes
from benchmarks._layers_step import step
from benchmarks._record import Record

PARTS: dict[str, Callable[[Record, Options], None]] = {
    "peak": peak,
    "train": partial(shapes, "train"),
    "infer": partial(shapes, "infer"),
    "ragged": ragged,
    "step": step,
    "options": with_options,
    "memory": memory,
    "grid": grid,
    "jax": scan,
}
PROTOCOL = (
    "float32, one layer, one direction, batch first, the same weights on both sides, 2 threads (one observation: 1). "
    "Both sides run strictly in turn in one process, JAX in a process of its own that computes only when it is asked "
    "to; best of at least 15 (a shape of the grid that is not slower: 5). ratio = torch.nn's time over ours. Training "
    "is zeroed gradients, the call, and the backward pass of the sum of the outputs to all weights; inference is a "
    "call under no_grad. The layer packs its weights on every call. Before anything is timed, outputs and last states "
    "must agree with torch.nn in float64 within 2e-6 and every gradient within 2e-5, norm(a - b) / norm(b). GFLOP/s "
    "counts the products alone. Peak memory is resident memory above what layer and input take, after a tiny step. "
    "In the grid, I goes round 1, 16 and H; shapes where a call of torch.nn would take over cap_s (in the command of "
    "each run; 0.5 s if it names none) are left out; what is slower at first is measured again with a larger budget. "
    "JAX: lax.scan under jit, the input's product taken out of the loop, unroll 1 or 4, whichever is faster."
)


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--kind", choices=[*KINDS, "all"], default="all")
    parser.add_argument("--budget_s", type=float, default=Options.budget_s, help="seconds of one comparison")
    parser.add_argument("--cap_s", type=float, default=Options.cap_s, help="grid: the longest call of torch.nn")
    parser.add_argument("--again", action="store_true", help="measure what has been measured already")
    parser.add_argument("--report", action="store_true", help="only print the tables of the runs that are there")
    arguments = parser.parse_args()
    record = Record("layers", PROTOCOL)
    if not arguments.report:
        kinds = KINDS if arguments.kind == "all" else (arguments.kind,)
        options = Options(kinds, arguments.budget_s, arguments.cap_s, arguments.again)
        for part in PARTS if arguments.part == "all" else [arguments.part]:
            PARTS[part](record, options)
    print(record.told(report))


if __name__ == "__main__":
    main()
