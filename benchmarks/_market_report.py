"""The market runs as tables, with Diebold-Mariano tests over days, and in words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._bars import judged, not_run
from benchmarks._market_runs import SEEDS, TABLES
from recurra.evaluation.market.skill import compare_losses
from recurra.metrics import wilson_interval

Array = npt.NDArray[np.float64]

NETWORK, OFF = "network", "recurrent part off"
BARS = {"base": {"qlike": 0.251, "gaussian_nll": 1.172}, "vix": {"qlike": 0.218, "gaussian_nll": 1.154}}
ANCHORS = {
    "the day's own": (0.334, None),
    "GARCH": (0.335, 1.219),
    "GJR": (0.301, 1.193),
    "HAR": (0.280, None),
    "log-HAR": (0.251, 1.172),
    "log-HAR + negative return + covariates": (0.218, 1.154),
    "EWMA": (None, 1.236),
    "random walk": (None, 1.483),
}
CALIBRATION = {
    "shuffled": "shuffled tables (1,000 days tested)",
    "signs": "stretches of real days whose returns have random signs (1,000 days tested; verdict in the returns)",
    "planted": "tables with a planted autoregression of R2 3 % (1,000 days tested)",
    "planted-long": "tables with a planted autoregression of R2 3 % (2,095 days tested)",
}
TITLES = {"base": "The network without the VIX", "vix": "The network with the VIX"}


def report(runs: Mapping[str, Any]) -> str:
    """Every part's table in Markdown."""
    parts = [_rules(runs["rules/vix"])] if "rules/vix" in runs else []
    parts += [_network(part, runs) for part in TITLES if any(key.startswith(f"{part}/") for key in runs)]
    calibration = [_calibration(part, runs) for part in CALIBRATION if any(k.startswith(f"{part}/") for k in runs)]
    if calibration:
        parts.append("\n".join(["### Is the verdict to be trusted?", "", *calibration]))
    absent = [part for part in ("rules", *TITLES, *CALIBRATION) if not any(k.startswith(f"{part}/") for k in runs)]
    return "\n\n".join(parts + not_run(absent)[1:])


def _rules(run: Any) -> str:
    lines = [
        "### The rules, fitted anew every 22 days",
        "",
        "| | QLIKE | anchor | Gaussian NLL | anchor |",
        "|---|---|---|---|---|",
    ]
    for name, scores in sorted(run["scores"].items(), key=lambda item: -item[1]["qlike"]):
        qlike, nll = ANCHORS.get(name, (None, None))
        lines.append(
            f"| {name} | {scores['qlike']:.4f} | {_show(qlike)} | {scores['gaussian_nll']:.4f} | {_show(nll)} |"
        )
    return "\n".join(lines)


def _network(part: str, runs: Mapping[str, Any]) -> str:
    own = [run for key, run in sorted(runs.items()) if key.startswith(f"{part}/")]
    names = sorted(own[0]["scores"], key=lambda name: (name != NETWORK, name != OFF, -own[0]["scores"][name]["qlike"]))
    lines = [
        f"### {TITLES[part]}",
        "",
        "| | QLIKE | NLL | Gaussian NLL | CRPS | below 1 % | below 5 % | direction | DM, QLIKE | DM, NLL |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in names:
        score = {
            field: float(np.mean([_known(run["scores"][name][field]) for run in own]))
            for field in ("qlike", "nll", "gaussian_nll", "crps", "right")
        }
        risk = [
            f"{100 * test['share']:.1f} % (p {test['p_value']:.2f})" for test in own[0]["scores"][name]["value_at_risk"]
        ]
        tests = ["", ""] if name == NETWORK else [_tested(own, name, field) for field in ("qlike", "nll")]
        lines.append(
            f"| {name} | {score['qlike']:.4f} | {score['nll']:.4f} | {score['gaussian_nll']:.4f} | {score['crps']:.4f} "
            f"| {risk[0]} | {risk[1]} | {_percent(score['right'])} | {tests[0]} | {tests[1]} |"
        )
    return "\n".join([*lines, "", _in_words(part, own)])


def _in_words(part: str, own: list[Any]) -> str:
    each = [run["scores"][NETWORK] for run in own]
    words = []
    for field, bar in BARS[part].items():
        values = [scores[field] for scores in each]
        mean = float(np.mean(values))
        verdict = judged(mean < bar, [f"{part}/{seed}" for seed in SEEDS], [f"{part}/{run['seed']}" for run in own])
        spread = f"{min(values):.4f} to {max(values):.4f}"
        shown = {"qlike": "QLIKE", "gaussian_nll": "Gaussian NLL"}[field]
        words.append(f"{shown} {mean:.4f} over {len(own)} seed(s) ({spread}), bar {bar}: {verdict}.")
    low, high = each[0]["right_interval"]
    up = own[0]["always_up"]
    words.append(
        f"Direction of the first seed: {100 * each[0]['right']:.1f} % ({100 * low:.1f} to {100 * high:.1f}); always up "
        f"{100 * up['right']:.1f} %. PIT of the first seed: Kolmogorov distance {each[0]['pit_distance']:.3f}, "
        f"p {each[0]['pit_p']:.3f}."
    )
    words.append(f"The report of the first seed says: {own[0]['sentence']}")
    words.append(_against_peers(own))
    words.append(
        "DM: the network's loss less the row's, two-sided p with HAC errors, on the seeds' mean loss of each day."
    )
    return " ".join(words)


def _against_peers(own: list[Any]) -> str:
    """Whether the network's QLIKE is lower than that of its path, and of the same learner without recurrence."""
    rules = [name for name in own[0]["scores"] if name.startswith("log-HAR")]
    same = max(rules, key=len)
    words = []
    for name in ("GARCH", "log-HAR", same, OFF):
        test = compare_losses(_mean_daily(own, NETWORK, "qlike")[None], _mean_daily(own, name, "qlike")[None])
        verdict = "a tie" if test.p_value >= 0.05 else "lower" if test.mean_difference < 0 else "higher"
        words.append(f"{name}: {verdict} (p {test.p_value:.3f})")
    return f"The network's QLIKE beside {'; '.join(words)}."


def _mean_daily(own: list[Any], name: str, field: str) -> Array:
    """Over the seeds that hold them; a rule's losses are the same for all and stand with the first."""
    return np.asarray(np.mean([_daily(run, name, field) for run in own if name in run["daily"]], axis=0))


def _tested(own: list[Any], name: str, field: str) -> str:
    network, other = _mean_daily(own, NETWORK, field), _mean_daily(own, name, field)
    test = compare_losses(network[None], other[None])
    return f"{test.mean_difference:+.4f} (p {test.p_value:.3f})"


def _daily(run: Any, name: str, field: str) -> Array:
    return np.array(run["daily"][name][field].split(), dtype=np.float64)


def _calibration(part: str, runs: Mapping[str, Any]) -> str:
    own = [run for key, run in runs.items() if key.startswith(f"{part}/")]
    found, n = sum(run["evidence"] for run in own), len(own)
    low, high = wilson_interval(found, n)
    wanted = [f"{part}/{number}" for number in range(TABLES[part])]
    everyone = part.startswith("planted")
    good = found == n if everyone else found <= 0.05 * n
    bar = f"bar {'all of them' if everyone else 'at most 5 %'}: {judged(good, wanted, runs, 'tables')}"
    interval = f"{100 * low:.1f} to {100 * high:.1f} %"
    return f'* {found} of {n} {CALIBRATION[part]} get "evidence of skill" ({interval}); {bar}.'


def _known(value: float | None) -> float:
    return float("nan") if value is None else value


def _percent(share: float) -> str:
    return "" if np.isnan(share) else f"{100 * share:.1f} %"


def _show(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
