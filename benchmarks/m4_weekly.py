"""M4 Weekly: do recurrent networks come near the winner of the competition, an LSTM hybrid?

python -m benchmarks.m4_weekly [--seed S] [--holdout] [--report]

359 series of 80 to 2,597 weeks; the last 13 weeks of each are forecast. One network learns from all series, as a
correction to a linear map of the last 128 weeks. `--holdout` leaves the competition's test weeks alone and scores the
last 13 weeks of the training part instead: there the settings were chosen.
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._bars import met, not_run, pending
from benchmarks._m4_rules import rule_forecasts
from benchmarks._record import Record
from recurra import Forecaster
from recurra.data.catalogue import load_m4_weekly
from recurra.data.series import SeriesTable
from recurra.evaluation import Interval, moving_block_bootstrap
from recurra.metrics import mase_scale, weighted_quantile_loss

Array = npt.NDArray[np.float64]

SEEDS = (0, 1, 2, 3, 4)
HORIZON, SEASON, CONTEXT = 13, 52, 128
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
OFF, MAP = "recurrent part off", f"linear map ({CONTEXT} weeks)"
JUDGED = "GRU"
"""The network by which the bars are judged; what others score is shown, and decides nothing."""
NETWORKS: dict[str, dict[str, Any]] = {"GRU": {"cell": "gru"}, "LSTM": {"cell": "lstm"}}
SETTINGS: dict[str, Any] = {
    "horizon": HORIZON,
    "season": SEASON,
    "residual": "linear",
    "freq": "1",
    "quantiles": LEVELS,
    "hidden_size": 32,
    "max_epochs": 20,
    "keep": "trained",
}
PAIRS = (("sMAPE", "naive"), ("sMAPE", MAP), ("MASE", MAP), ("sMAPE", OFF), ("MASE", OFF))
BARS = {"sMAPE": 8.5, "MASE": 2.5, "wQL": 0.048}
AIMS = {"sMAPE": 7.817, "MASE": 2.356}
PUBLISHED = {
    "naive": (9.161, 2.777),
    "Theta": (9.093, 2.637),
    "the M4 RNN benchmark": (15.220, 5.132),
    "ES-RNN, the winner": (7.817, 2.356),
    "FFORMA": (7.625, 2.108),
}
PROTOCOL = (
    "Learned from the competition's training weeks, of which the last 13 of each series end the training; scored on "
    "the 13 weeks after them. sMAPE in percent and MASE (season 1, scaled by the training weeks), mean over 359 "
    "series; weighted quantile loss over the levels 0.1 to 0.9. Values are forecast on the logarithmic scale; the "
    "quantiles are taken back, the point forecast is the median. The ensemble's quantiles are the means of those of "
    "the five seeds, on the logarithmic scale. Settings were chosen on the last 13 training weeks (--holdout)."
)


def parts(holdout: bool) -> tuple[SeriesTable, SeriesTable]:
    """The rows to learn from, and the 13 rows after them of each series."""
    data = load_m4_weekly()
    if not holdout:
        return data.train, data.test
    ends = data.train.lengths - HORIZON
    return data.train.truncate(ends), data.train.slice(ends, data.train.lengths)


def scores(train: SeriesTable, actual: Array, median: Array, quantiles: Array | None = None) -> dict[str, Any]:
    """The competition's scores, and each series' two errors.

    Args:
        train: the rows before.
        actual: what came, [series, horizon].
        median: point forecasts, [series, horizon].
        quantiles: [series, horizon, level], or None.
    """
    error = np.abs(actual - median)
    smape = np.mean(200 * error / (np.abs(actual) + np.abs(median)), axis=1)
    scale = np.array([mase_scale(train.series(i).y, 1) for i in range(train.n_series)])
    mase = error.mean(axis=1) / scale
    figures: dict[str, Any] = {"sMAPE": round(float(smape.mean()), 3), "MASE": round(float(mase.mean()), 3)}
    if quantiles is not None:
        figures["wQL"] = round(weighted_quantile_loss(actual, quantiles, LEVELS), 4)
        inside = np.mean((quantiles[..., 0] <= actual) & (actual <= quantiles[..., -1]))
        figures["in 80 %"] = round(100 * float(inside), 1)
    return {**figures, "errors": {"sMAPE": _packed(smape), "MASE": _packed(mase)}}


def run_rules(train: SeriesTable, test: SeriesTable) -> dict[str, Any]:
    """Every rule; and the network before it has learned anything, which is the linear map of the logarithms."""
    actual = test.y.reshape(-1, HORIZON)
    found = rule_forecasts(train, HORIZON, SEASON, CONTEXT)
    settings = {**SETTINGS, "hidden_size": 1, "max_seconds": 1e-3}
    prepared = Forecaster(validation=HORIZON, **settings).fit(_logs(train))._predictor.preparation.rows(_logs(train))
    found[OFF] = np.exp(prepared.ahead(prepared.last_rows))
    return {"rules": {name: scores(train, actual, values) for name, values in found.items()}}


def fit_network(train: SeriesTable, network: str, seed: int) -> tuple[Forecaster, Array]:
    """A network, and its quantiles after the training rows on the logarithmic scale, [series, horizon, level]."""
    logs = _logs(train)
    model = Forecaster(validation=HORIZON, seed=seed, **{**SETTINGS, **NETWORKS[network]}).fit(logs)
    return model, model.forecasts(logs).quantiles


def run_network(train: SeriesTable, test: SeriesTable, network: str, seed: int) -> dict[str, Any]:
    """Train one network and score it; its quantiles are kept for the ensemble."""
    model, quantiles = fit_network(train, network, seed)
    values = np.exp(quantiles)
    figures = scores(train, test.y.reshape(-1, HORIZON), values[..., LEVELS.index(0.5)], values)
    return {
        **figures,
        "parameters": model.n_parameters_,
        "epochs": len(model.history_.epochs),
        "best_epoch": model.history_.best_epoch,
        "validation": round(model.history_.best_loss, 5),
        "quantiles": " ".join(f"{value:.5g}" for value in quantiles.reshape(-1)),
    }


def run_ensemble(train: SeriesTable, test: SeriesTable, runs: list[Any]) -> dict[str, Any]:
    """The mean of the seeds' quantiles, scored."""
    kept = np.stack([np.array(run["quantiles"].split(), np.float64) for run in runs])
    values = np.exp(kept.mean(axis=0).reshape(-1, HORIZON, len(LEVELS)))
    return scores(train, test.y.reshape(-1, HORIZON), values[..., LEVELS.index(0.5)], values)


def report(runs: Mapping[str, Any]) -> str:
    """Networks beside rules and the published figures, with paired intervals over series."""
    if "rules" not in runs:
        return ""
    rules = runs["rules"]["rules"]
    lines = [
        "| | sMAPE % | MASE | wQL | " + " | ".join(f"{score} less {rule}, 95 %" for score, rule in PAIRS) + " |",
        "|---|---|---|---|" + "---|" * len(PAIRS),
    ]
    blank = " |" * (1 + len(PAIRS))
    lines += [f"| {name} (published) | {smape:.3f} | {mase:.3f} |{blank}" for name, (smape, mase) in PUBLISHED.items()]
    lines += [f"| {name} | {rule['sMAPE']:.3f} | {rule['MASE']:.3f} |{blank}" for name, rule in rules.items()]
    words = []
    for network in NETWORKS:
        own = [run for key, run in runs.items() if key.startswith(f"{network}/") and not key.endswith("ensemble")]
        rows = [(f"{network}, median of {len(own)} seeds", own)] if own else []
        if f"{network}/ensemble" in runs:
            rows.append((f"{network}, mean of the quantiles of {len(own)}", [runs[f"{network}/ensemble"]]))
        for name, several in rows:
            middle = _middle(several)
            found = {(score, rule): _less(several, rules[rule], score) for score, rule in PAIRS}
            figures = f"{middle['sMAPE']:.3f} | {middle['MASE']:.3f} | {middle['wQL']:.4f}"
            lines.append(f"| {name} | {figures} | {' | '.join(map(_show, found.values()))} |")
            if several is own:
                words += [_beside(network, rule, found) for rule in (OFF, MAP)]
    absent = [network for network in NETWORKS if not any(key.startswith(f"{network}/") for key in runs)]
    return "\n".join([*lines, *_bars(runs), *words, *not_run(absent)])


def _middle(several: list[Any]) -> dict[str, float]:
    return {score: float(np.median([run[score] for run in several])) for score in BARS}


def _beside(network: str, rule: str, found: Mapping[tuple[str, str], Interval]) -> str:
    told = [f"{_verdict(found[score, rule])} by {score}" for score in ("sMAPE", "MASE")]
    return f"Beside {'its ' if rule == OFF else 'the '}{rule} the {network} is {' and '.join(told)}."


def _bars(runs: Mapping[str, Any]) -> list[str]:
    """The bars, judged by the median of the seeds of one network."""
    wanted = [f"{JUDGED}/{seed}" for seed in SEEDS]
    own = [runs[key] for key in wanted if key in runs]
    if not own:
        return []
    middle, missing = _middle(own), pending(wanted, runs)
    bars = [
        f"{s} at most {b:g}: {middle[s]:.4g}" + ("" if missing else f", {met(middle[s] <= b)}") for s, b in BARS.items()
    ]
    aims = [f"{s} at most {a:g}" + ("" if missing else f", {met(middle[s] <= a)}") for s, a in AIMS.items()]
    told = [f"Bars, by the median {JUDGED}: {'; '.join(bars)}", f"Aims: {'; '.join(aims)}"]
    return ["", f"{'. '.join([*told, missing] if missing else told)}."]


def _less(several: list[Any], other: Mapping[str, Any], score: str) -> Interval:
    """Mean over seeds of the networks' errors less the rule's, series by series."""
    errors = np.mean([_unpacked(run["errors"][score]) for run in several], axis=0)
    return moving_block_bootstrap(errors - _unpacked(other["errors"][score]), block_length=1)


def _verdict(interval: Interval) -> str:
    if interval.upper < 0:
        return "better"
    return "worse" if interval.lower > 0 else "no better (a tie)"


def _logs(table: SeriesTable) -> SeriesTable:
    return replace(table, y=np.log(table.y))


def _packed(errors: Array) -> str:
    return " ".join(f"{value:.4g}" for value in errors)


def _unpacked(errors: str) -> Array:
    return np.array(errors.split(), dtype=np.float64)


def _show(interval: Interval) -> str:
    return f"{interval.estimate:+.3f} ({interval.lower:+.3f} to {interval.upper:+.3f})"


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, choices=SEEDS)
    parser.add_argument("--network", choices=NETWORKS)
    parser.add_argument("--holdout", action="store_true", help="score the last 13 training weeks; nothing is kept")
    parser.add_argument("--report", action="store_true", help="only print the table of the runs that are there")
    arguments = parser.parse_args()
    record = Record("m4_weekly", PROTOCOL)
    if arguments.report:
        print(record.told(report))
        return
    train, test = parts(arguments.holdout)
    networks = NETWORKS if arguments.network is None else [arguments.network]
    seeds = SEEDS if arguments.seed is None else [arguments.seed]
    if arguments.holdout:
        for name, rule in run_rules(train, test)["rules"].items():
            print(f"{name}: sMAPE {rule['sMAPE']:.3f}, MASE {rule['MASE']:.3f}", flush=True)
        for network in networks:
            for seed in seeds:
                run = run_network(train, test, network, seed)
                print(f"{network}/{seed}: " + ", ".join(f"{s} {run[s]:.4g}" for s in BARS), flush=True)
        return
    record.run("rules", lambda: run_rules(train, test))
    for network in networks:
        for seed in seeds:
            key = f"{network}/{seed}"
            run = record.run(key, lambda n=network, s=seed: run_network(train, test, n, s), seed=seed)
            print(f"{key}: " + ", ".join(f"{s} {run[s]:.4g}" for s in BARS) + f", {run['seconds']:.0f} s", flush=True)
        own = [record.runs[f"{network}/{seed}"] for seed in SEEDS if f"{network}/{seed}" in record.runs]
        if len(own) == len(SEEDS):
            record.run(f"{network}/ensemble", lambda own=own: run_ensemble(train, test, own), seeds=list(SEEDS))
    print(record.told(report))


if __name__ == "__main__":
    main()
