"""Atlantic hurricanes 2010 to 2019: how far off are recurrent networks after 12, 24, 48 and 72 hours?

python -m benchmarks.hurricanes [--seed N] [--report]

Also the naive rules, on the globe and in degrees, and an ensemble: the mean of the paths of all seeds.
"""

import argparse
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._bars import not_run, pending
from benchmarks._record import Record
from recurra import TrajectoryForecaster
from recurra.baselines import Histories, track_rules
from recurra.data.catalogue import load_hurdat
from recurra.data.tracks import TrackTable, TrackWindows, positions_ahead, wrap_longitude
from recurra.evaluation import compare_paths, fit_rules
from recurra.metrics import error_by_step

Array = npt.NDArray[np.float64]

SEEDS = (0, 1, 2, 3, 4)
OBSERVED, HORIZON, STEP_S = 5, 12, 6 * 3600.0
HOURS = {12: 1, 24: 3, 48: 7, 72: 11}
BARS = {12: 77, 24: 196, 48: 479, 72: 761}
GAP_S = 1.5 * STEP_S
SETTINGS: dict[str, Any] = {
    "horizon": HORIZON,
    "object": "storm",
    "x": "longitude",
    "y": "latitude",
    "geographic": True,
    "features": ("wind", "pressure"),
    "output": "points",
    "context": OBSERVED,
    "max_gap_s": GAP_S,
    "residual": "constant velocity",
    "hidden_size": 32,
    "max_epochs": 8,
}
PROTOCOL = (
    "Six-hourly fixes (00, 06, 12, 18 hours) of Atlantic storms; five fixes are seen, and each later fix of the storm "
    "that comes without a gap is predicted: great-circle error in kilometres, mean over origins. Networks learn from "
    "four fifths of the storms of 1970 to 2009 and are stopped on every fifth one; tested on 2010 to 2019. Settings "
    "were chosen on the storms of the validation part. The network sees velocities, wind, pressure, latitude, "
    "longitude and the day of the year."
)


def split() -> tuple[TrackTable, TrackTable, TrackTable]:
    """Storms to learn from, to validate on, and to test on."""
    storms = load_hurdat()
    year = np.array([int(str(name)[4:8]) for name in storms.ids])
    early = np.flatnonzero((year >= 1970) & (year < 2010))
    held = early[np.arange(len(early)) % 5 == 2]
    test = np.flatnonzero((year >= 2010) & (year < 2020))
    return storms.select(np.setdiff1d(early, held)), storms.select(held), storms.select(test)


def origins(table: TrackTable) -> tuple[TrackWindows, Array]:
    """Every fix with four before it, and where the storm was after it, [n, horizon, 2]."""
    ahead = positions_ahead(table, STEP_S, HORIZON, GAP_S)
    piece = table.pieces(GAP_S)
    age = np.arange(len(table)) - np.searchsorted(piece, piece)
    rows = np.flatnonzero((age >= OBSERVED - 1) & ~np.isnan(ahead[:, 0, 0]))
    windows = rows[:, None] + np.arange(-OBSERVED + 1, 1)
    return TrackWindows(windows, np.full(len(rows), OBSERVED), np.arange(len(rows))), ahead[rows]


def errors_of(positions: Array, ahead: Array, table: TrackTable) -> Array:
    """Great-circle errors, kilometres, [n, horizon]."""
    offset = table.space.offset(positions, ahead)
    return np.hypot(offset[..., 0], offset[..., 1])


def by_hour(errors: Array) -> dict[str, float]:
    """Mean error at each of the published hours."""
    mean = error_by_step(errors)
    return {str(hour): round(float(mean[step]), 2) for hour, step in HOURS.items()}


def run_rules() -> dict[str, Any]:
    """The naive rules, and constant velocity as a straight line in degrees."""
    whole, test = load_hurdat().select(_early()), split()[2]
    (learned, before), (windows, ahead) = origins(whole), origins(test)
    offsets = whole.space.offset(whole.position[learned.last_rows][:, None], before)
    found: dict[str, Any] = {}
    for rule in fit_rules(track_rules(OBSERVED, place=True), Histories.of(whole, learned, STEP_S), offsets):
        found[rule.name] = by_hour(errors_of(rule.forecast(Histories.of(test, windows, STEP_S)).positions, ahead, test))
    found["constant velocity in degrees"] = by_hour(errors_of(in_degrees(test, windows), ahead, test))
    return {"rules": found, "origins": len(windows), "storms": len(np.unique(test.owner[windows.last_rows]))}


def in_degrees(table: TrackTable, windows: TrackWindows) -> Array:
    """Constant velocity with longitude and latitude taken for a flat map."""
    last, before = (table.position[windows.rows[:, i]] for i in (-1, -2))
    way = last - before
    way[:, 0] = wrap_longitude(way[:, 0])
    onward = last[:, None] + way[:, None] * np.arange(1.0, HORIZON + 1)[None, :, None]
    return np.stack([wrap_longitude(onward[..., 0]), np.clip(onward[..., 1], -90.0, 90.0)], -1)


def _early() -> npt.NDArray[np.int64]:
    year = np.array([int(str(name)[4:8]) for name in load_hurdat().ids])
    return np.flatnonzero((year >= 1970) & (year < 2010))


def train(cell: str, seed: int) -> tuple[TrajectoryForecaster, TrackTable]:
    """A network, and the storms to test it on."""
    training, validation, test = split()
    return TrajectoryForecaster(cell=cell, seed=seed, **SETTINGS).fit(training, validation), test


def run_network(cell: str, seed: int) -> dict[str, Any]:
    """Train one network and score it on the storms of 2010 to 2019."""
    model, test = train(cell, seed)
    windows, ahead = origins(test)
    answer = model.predictor_.windows(test, windows)
    errors = errors_of(answer.positions, ahead, test)
    off = errors_of(model.predictor_.without_correction().windows(test, windows).positions, ahead, test)
    rule = errors_of(in_degrees(test, windows), ahead, test)
    interval = compare_paths(errors, rule, test.owner[windows.last_rows], "constant velocity in degrees").interval
    return {
        "hours": by_hour(errors),
        "switched_off": by_hour(off),
        "against_degrees": [round(value, 2) for value in (interval.estimate, interval.lower, interval.upper)],
        "parameters": model.n_parameters_,
        "best_epoch": model.history_.best_epoch,
        "residual": model.residual_,
        "path": packed(answer.path),
    }


def packed(path: Array) -> str:
    """Offsets of the paths at the published hours, whole kilometres, as one line: the ensemble is their mean."""
    return " ".join(map(str, path[:, list(HOURS.values())].round().astype(int).reshape(-1).tolist()))


def ensemble(runs: dict[str, Any], cell: str) -> dict[str, float] | None:
    """Errors of the mean path of all seeds."""
    paths = [run["path"] for key, run in runs.items() if key.startswith(cell + "/")]
    if len(paths) < 2:
        return None
    test = split()[2]
    windows, ahead = origins(test)
    mean = np.mean([np.array(path.split(), float).reshape(-1, len(HOURS), 2) for path in paths], 0)
    positions = test.space.place(test.position[windows.last_rows][:, None], mean)
    values = error_by_step(errors_of(positions, ahead[:, list(HOURS.values())], test))
    return {str(hour): round(float(value), 2) for hour, value in zip(HOURS, values, strict=True)}


def report(runs: dict[str, Any]) -> str:
    """The table, as Markdown."""
    lines = ["| error in km after | seeds | 12 h | 24 h | 48 h | 72 h |", "|---|---|---|---|---|---|"]
    bars = " | ".join(str(bar) for bar in BARS.values())
    lines.append(f"| published bar: linear regression on displacements and position | - | {bars} |")
    for name, hours in runs.get("rules", {}).get("rules", {}).items():
        lines.append(_row(name, "-", [hours]))
    for cell in ("gru", "lstm"):
        found = [run for key, run in sorted(runs.items()) if key.startswith(cell + "/")]
        if found:
            lines.append(_row(cell.upper(), str(len(found)), [run["hours"] for run in found]))
            lines.append(
                _row(f"{cell.upper()}: correction switched off", str(len(found)), [r["switched_off"] for r in found])
            )
        together = runs.get(f"ensemble-{cell}")
        if together:
            lines.append(_row(f"{cell.upper()}: mean path of the seeds", "-", [together["hours"]]))
    return "\n".join([*lines, *_verdicts(runs)])


def _verdicts(runs: dict[str, Any]) -> list[str]:
    """Each network beside the published bar, at all four hours, by the mean of its seeds."""
    words = []
    for cell in ("gru", "lstm"):
        wanted = [f"{cell}/{seed}" for seed in SEEDS]
        found = [runs[key]["hours"] for key in wanted if key in runs]
        if found:
            above = [f"{hour} h" for hour, bar in BARS.items() if np.mean([each[str(hour)] for each in found]) > bar]
            verdict = f"above it at {', '.join(above)}" if above else "at or below it at every hour"
            words.append(f"{cell.upper()} {pending(wanted, runs) or verdict}")
    absent = [name for name in ("rules", "gru", "lstm") if not any(key.split("/")[0] == name for key in runs)]
    return (["", f"Beside the published bar, means over seeds: {'; '.join(words)}."] if words else []) + not_run(absent)


def _row(name: str, seeds: str, hours: list[dict[str, float]]) -> str:
    means = [np.mean([each[str(hour)] for each in hours]) for hour in HOURS]
    spreads = [np.std([each[str(hour)] for each in hours], ddof=1) if len(hours) > 1 else 0.0 for hour in HOURS]
    cells = [f"{m:.1f}" + (f" ± {s:.1f}" if s else "") for m, s in zip(means, spreads, strict=True)]
    return f"| {name} | {seeds} | " + " | ".join(cells) + " |"


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, choices=SEEDS)
    parser.add_argument("--report", action="store_true", help="only print the table of the runs that are there")
    arguments = parser.parse_args()
    record = Record("hurricanes", PROTOCOL)
    if not arguments.report:
        record.run("rules", run_rules)
        for seed in SEEDS if arguments.seed is None else (arguments.seed,):
            for cell in ("gru", "lstm"):
                run = record.run(f"{cell}/{seed}", lambda c=cell, s=seed: run_network(c, s), seed=seed)
                print(f"{cell}/{seed}: {run['hours']}, {run['seconds']:.0f} s", flush=True)
        for cell in ("gru", "lstm"):
            if all(f"{cell}/{seed}" in record.runs for seed in SEEDS):
                record.run(f"ensemble-{cell}", lambda c=cell: {"hours": ensemble(record.runs, c)})
    print(record.told(report))


if __name__ == "__main__":
    main()
