"""The CTA runs as a table, with paired intervals over days, and in words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._bars import judged, not_run
from benchmarks._cta_data import NETWORKS, SEEDS
from recurra.evaluation import Interval, moving_block_bootstrap

BARS = {"uni-1": 29_015, "cov-1": 22_062, "cov-14": 31_385}
TITLES = {
    "uni-1": "one step ahead, rail only",
    "cov-1": "one step ahead, with bus and the next day's type",
    "uni-14": "14 steps ahead, rail only",
    "cov-14": "14 steps ahead, with bus and the next day's type",
}
RULES = ("naive (7 days before)", "linear", "recurrent part off")


def unpacked(errors: str) -> npt.NDArray[np.float64]:
    """The origins' mean absolute errors that were written as one line."""
    return np.array(errors.split(), dtype=np.float64)


def report(runs: Mapping[str, Any]) -> str:
    """Every part's table in Markdown."""
    parts = [part for part in TITLES if f"{part}/rules" in runs]
    texts = [table(part, runs) for part in parts]
    return "\n\n".join([*texts, *not_run(TITLES[part] for part in TITLES if part not in parts)[1:]])


def table(part: str, runs: Mapping[str, Any]) -> str:
    """One part's table, and its bar."""
    rules = runs[f"{part}/rules"]["rules"]
    networks = sorted({key.split("/")[1] for key in runs if key.startswith(f"{part}/") and key.count("/") == 2})
    lines = [
        f"### {TITLES[part]}",
        "",
        "| | validation | test | test less naive, 95 % | test less linear, 95 % | seeds |",
    ]
    lines.append("|---|---|---|---|---|---|")
    words = []
    for rule in RULES:
        lines.append(
            f"| {rule} | {rules[rule]['validation']['mean']:,.0f} | {rules[rule]['test']['mean']:,.0f} | | | |"
        )
    medians = {}
    for network in networks:
        own = [run for key, run in runs.items() if key.startswith(f"{part}/{network}/")]
        medians[network] = float(np.median([run["validation"]["mean"] for run in own]))
        test = np.median([run["test"]["mean"] for run in own])
        naive, linear = (_against(own, rules[rule], part) for rule in RULES[:2])
        lines.append(
            f"| {network} | {medians[network]:,.0f} | {test:,.0f} | {_show(naive)} | {_show(linear)} | {len(own)} |"
        )
        words.append(f"{network} {_verdict(naive)} the naive rule and {_verdict(linear)} the linear map")
    if networks and part in BARS:
        best = min(medians, key=lambda name: medians[name])
        wanted = [f"{part}/{network}/{seed}" for network in NETWORKS for seed in SEEDS]
        verdict = judged(medians[best] < BARS[part], wanted, runs, "runs")
        lines += [
            "",
            f"Bar on the validation part: {BARS[part]:,}; best median {medians[best]:,.0f} ({best}): {verdict}.",
        ]
    if words:
        lines += ["", f"On the test part {'; '.join(words)}."]
    return "\n".join(lines)


def _against(own: list[Any], rule: Any, part: str) -> Interval:
    """Mean over seeds of the networks' errors less the rule's, day by day, on the test part."""
    network = np.mean([unpacked(run["errors"]["test"]) for run in own], axis=0)
    block = 28 if part.endswith("14") else None
    return moving_block_bootstrap(network - unpacked(rule["errors"]["test"]), block_length=block)


def _show(interval: Interval) -> str:
    return f"{interval.estimate:+,.0f} ({interval.lower:+,.0f} to {interval.upper:+,.0f})"


def _verdict(interval: Interval) -> str:
    if interval.upper < 0:
        return "beats"
    return "loses to" if interval.lower > 0 else "ties with"
