"""One fix in, twelve steps of the future out: how long does a stream of tracks take, and does it say what a table says?

python -m benchmarks.track_stream [--report]

One thread; untrained networks, since weights do not change the work; each figure is the median over 3,000 fixes,
of the quickest of nine runs.
"""

import argparse
import time
from typing import Any

import numpy as np
import torch

from benchmarks._bars import not_run
from benchmarks._record import Record
from recurra.data.tracks import InputSpec, TrackColumns, TrackTable
from recurra.models.trajectory import TrajectoryNetwork, TrajectoryShape
from recurra.prediction import TrajectoryPredictor, TrajectoryStream

HORIZON, OBJECTS, FIXES, TURNS = 12, 10, 300, 9
CASES: dict[str, dict[str, Any]] = {
    "GRU 32, points": {"hidden_size": 32},
    "GRU 64, points": {"hidden_size": 64},
    "LSTM 32, points": {"hidden_size": 32, "cell": "lstm"},
    "GRU 32, mixture of 8": {"hidden_size": 32, "components": 8},
    "GRU 64, mixture of 8": {"hidden_size": 64, "components": 8},
}
PROTOCOL = (
    "Ten objects that walk at random take turns, 300 fixes each; a fix is handed in as a dictionary, and the "
    "answer holds the path of twelve steps and, for a mixture, its components in units of length. Median over all"
    " fixes, one thread, of the quickest of nine runs: what else the machine does comes and goes, and the slowest"
    " run is kept beside it. 'Apart' is the largest difference of any path to that of the table so far."
)


def run_case(settings: dict[str, Any]) -> dict[str, Any]:
    """Time every fix of a stream, and hold its paths against those of the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    spec = InputSpec(step_s=0.4, max_gap_s=1.0, scale=0.5)
    network = TrajectoryNetwork(TrajectoryShape(spec.width, HORIZON, **settings))
    predictor = TrajectoryPredictor(spec, network)
    table = walks()
    owner, order = table.owner, np.argsort(table.time, kind="stable")
    rows = [
        {"object": str(table.ids[owner[i]]), "time": float(table.time[i]), "x": float(x), "y": float(y)}
        for i, (x, y) in zip(order, table.position[order], strict=True)
    ]
    stream = TrajectoryStream(predictor, TrackColumns())
    seconds, answers = np.empty(len(rows)), []
    for i, row in enumerate(rows):
        begun = time.perf_counter()
        answer = stream.update(row)
        seconds[i] = time.perf_counter() - begun
        answers.append(answer)
    whole = predictor.hindcast(table)
    place = {(str(name), when): i for i, (name, when) in enumerate(zip(whole.ids, whole.origin_time, strict=True))}
    apart = max(
        float(np.abs(answer.path[0] - whole.path[place[answer.ids[0], answer.origin_time[0]]]).max())
        for answer in answers
        if len(answer)
    )
    microseconds = 1e6 * seconds[10 * OBJECTS :]
    return {
        "median_us": round(float(np.median(microseconds)), 1),
        "p90_us": round(float(np.quantile(microseconds, 0.9)), 1),
        "fastest_us": round(float(microseconds.min()), 1),
        "apart": apart,
    }


def quickest(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run with the lowest median, and the highest median beside it."""
    return {**min(runs, key=lambda run: run["median_us"]), "slowest_us": max(run["median_us"] for run in runs)}


def walks() -> TrackTable:
    """Objects that walk at random, all seen at the same times."""
    random = np.random.default_rng(0)
    position = np.cumsum(random.normal(0.3, 0.3, (OBJECTS, FIXES, 2)), axis=1)
    names = np.repeat([f"walker {i}" for i in range(OBJECTS)], FIXES)
    times = np.tile(0.4 * np.arange(FIXES), OBJECTS)
    return TrackTable.from_table(
        {"object": names, "time": times, "x": position[..., 0].ravel(), "y": position[..., 1].ravel()}
    )


def report(runs: dict[str, Any]) -> str:
    """The table, as Markdown."""
    lines = ["| one fix in, twelve steps out | median | 9 in 10 under | slowest run | apart |", "|---|---|---|---|---|"]
    for name in CASES:
        if name in runs:
            run = runs[name]
            times = " | ".join(f"{run[field]:.0f} µs" for field in ("median_us", "p90_us", "slowest_us"))
            lines.append(f"| {name} | {times} | {run['apart']:.0e} |")
    return "\n".join(lines + not_run(name for name in CASES if name not in runs))


def main() -> None:
    """Measure, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true", help="only print the table of the runs that are there")
    arguments = parser.parse_args()
    record = Record("track_stream", PROTOCOL)
    if not arguments.report:
        for name, settings in CASES.items():
            record.run(name, lambda s=settings: quickest([run_case(s) for _ in range(TURNS)]), again=True)
    print(record.told(report))


if __name__ == "__main__":
    main()
