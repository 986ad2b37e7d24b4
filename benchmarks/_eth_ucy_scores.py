"""The windows and scores of the ETH/UCY benchmark; see `python -m benchmarks.eth_ucy`."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.baselines import ConstantVelocity, Histories
from recurra.data.tracks import PathForecasts, TrackTable, TrackWindows, scene_windows
from recurra.evaluation import Truth, best_of, compare_paths, density_ranks, log_density
from recurra.metrics import ade, distances, error_by_step, fde, miss_rate, nll, person_ade, region_coverage

Array = npt.NDArray[np.float64]

OBSERVED, HORIZON, STEP_S = 8, 12, 0.4
FUTURES, MISS_M = 20, 2.0
LEVELS = (0.5, 0.8, 0.9, 0.95)
RANKED = 2_000


@dataclass(frozen=True)
class Held:
    """The windows of a scene: what is seen, and what came.

    Attributes:
        windows: of the observed fixes.
        histories: the same for the naive rules.
        truth: what came after.
    """

    windows: TrackWindows
    histories: Histories
    truth: Truth


def prepare(table: TrackTable, people: int) -> Held:
    """The windows of at least so many people."""
    whole = scene_windows(table, OBSERVED, HORIZON, people)
    rows = whole.rows[:, :OBSERVED]
    seen = TrackWindows(rows, np.full(len(whole), OBSERVED), whole.moment)
    offsets = table.position[whole.rows[:, OBSERVED:]] - table.position[rows[:, -1]][:, None]
    truth = Truth(offsets, table.owner[rows[:, -1]], whole.moment)
    return Held(seen, Histories.of(table, seen, STEP_S), truth)


def path_scores(path: Array, held: Held) -> dict[str, Any]:
    """ADE, FDE, error at each step and miss rate of middle paths."""
    errors = distances(held.truth.offsets, path)
    return {
        "n": len(errors),
        "ade": round(ade(errors), 5),
        "fde": round(fde(errors), 5),
        "by_step": [round(value, 4) for value in error_by_step(errors).tolist()],
        "miss_rate": round(miss_rate(errors, MISS_M), 4),
    }


def corrected(path: Array, held: Held) -> dict[str, Any]:
    """The difference to constant velocity in ADE with its interval, and the share of windows improved."""
    errors = distances(held.truth.offsets, path)
    rule = distances(held.truth.offsets, ConstantVelocity().paths(held.histories, HORIZON))
    comparison = compare_paths(errors, rule, held.truth.objects, "constant velocity")
    interval = comparison.interval
    return {
        "difference": round(interval.estimate, 5),
        "lower": round(interval.lower, 5),
        "upper": round(interval.upper, 5),
        "persons": interval.blocks,
        "verdict": comparison.verdict,
        "improved": round(float(np.mean(person_ade(errors) < person_ade(rule))), 4),
    }


def packed(path: Array, held: Held) -> str:
    """For each person the summed difference to constant velocity in ADE and FDE, millimetres, and the windows."""
    errors = distances(held.truth.offsets, path)
    rule = distances(held.truth.offsets, ConstantVelocity().paths(held.histories, HORIZON))
    number = np.unique(held.truth.objects, return_inverse=True)[1]
    parts = [
        np.bincount(number, values) * 1000.0
        for values in (person_ade(errors) - person_ade(rule), (errors - rule)[:, -1])
    ]
    counts = np.bincount(number)
    rows = zip(*(part.round().astype(int).tolist() for part in parts), counts.tolist(), strict=True)
    return " ".join(f"{a},{b},{n}" for a, b, n in rows)


def likelihoods(answer: PathForecasts, held: Held) -> dict[str, Any]:
    """NLL, calibration and the best of 20 of paths with a distribution."""
    found = {
        how: {
            "ade": round(best.ade, 5),
            "fde": round(best.fde, 5),
            "ade_scene": round(best.ade_scene, 5),
            "fde_scene": round(best.fde_scene, 5),
        }
        for how, best in best_of(answer, held.truth, FUTURES).items()
    }
    chosen = np.arange(0, len(answer), -(-len(answer) // RANKED))
    ranks = density_ranks(answer.take(chosen), held.truth.offsets[chosen])
    return {
        "nll": round(nll(log_density(answer, held.truth.offsets)), 4),
        "calibration": dict(zip(map(str, LEVELS), region_coverage(ranks, LEVELS).round(4).tolist(), strict=True)),
        "best_of": found,
    }
