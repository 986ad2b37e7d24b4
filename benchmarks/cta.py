"""CTA ridership, Géron's chapter 15: does a recurrent network beat the naive rule and a linear map, and his figures?

python -m benchmarks.cta [--part P] [--seed S] [--report]

Parts: uni-1, cov-1 (one step), uni-14, cov-14 (14 steps from the last state). Each runs four networks with five
seeds. Trained on 2016-2018, stopped early on 2019-01..05, scored on Géron's validation windows (first forecast from
the 56th day of 2019) and on the test part, 2019-06 to 2021-11; PROTOCOL says what was chosen on what.
"""

import argparse
from typing import Any

import numpy as np

from benchmarks._cta_data import NETWORKS, SEEDS, WINDOW, Array, Ridership, load_ridership, rule_errors
from benchmarks._cta_report import report
from benchmarks._record import Record
from recurra import Forecaster

PARTS: dict[str, dict[str, Any]] = {
    "uni-1": {"horizon": 1},
    "cov-1": {"horizon": 1, "past_covariates": ("bus",), "future_covariates": ("day_type",)},
    "uni-14": {"horizon": 14},
    "cov-14": {"horizon": 14, "past_covariates": ("bus", "next_day_type")},
}
SETTINGS: dict[str, Any] = {
    "unique_id": None,
    "y": "rail",
    "freq": "D",
    "context": WINDOW,
    "hidden_size": 32,
    "residual": "season_mean",
    "calendar": (),
    "max_epochs": 40,
    "keep": "trained",
}
PROTOCOL = (
    "Trained on 2016-01-01..2018-12-31 with windows of 56 days, early stop on 2019-01-01..05-31, mean absolute error "
    "in riders. Validation: Géron's windows, targets from 2019-02-26 to 2019-05-31. Test: targets from 2019-06-01 to "
    "2021-11-30. cov-1: bus, and the next day's type; cov-14: bus and the next day's type at each step, as in the "
    "book, so only the first of the 14 days' types is known. The network corrects the mean of the last seven days; "
    "that rule alone is the row 'recurrent part off'. Chosen on the validation part: the residual path, the step size, "
    "dropout, the number of epochs, the memory of the running scale (14, 28 or 56 days) and the form of the output. "
    "Test figures were in sight while the running scale and its memory were worked out."
)


def run_network(data: Ridership, part: str, network: str, seed: int) -> dict[str, Any]:
    """Train one network and score it on both parts."""
    settings = {**SETTINGS, **PARTS[part], **NETWORKS[network]}
    model = Forecaster(validation=data.test - data.validation, seed=seed, **settings)
    columns = (*settings.get("past_covariates", ()), *settings.get("future_covariates", ()))
    model.fit(_only(data.before_test, columns))
    horizon = settings["horizon"]
    hindcast = model.hindcast(_only(data.table, columns), since=0)
    errors = np.abs(hindcast.median - hindcast.actual)
    validation, test = errors[data.validation_origins(horizon)], errors[data.test_origins(horizon)]
    return {
        "validation": _steps(validation),
        "test": _steps(test),
        "parameters": model.n_parameters_,
        "epochs": len(model.history_.epochs),
        "best_epoch": model.history_.best_epoch,
        "errors": {"validation": packed(validation), "test": packed(test)},
    }


def run_rules(data: Ridership, part: str) -> dict[str, Any]:
    """Score the naive rule, the linear map, and the rule that the networks correct."""
    horizon = PARTS[part]["horizon"]
    result: dict[str, Any] = {}
    for name, origins in (("validation", data.validation_origins(horizon)), ("test", data.test_origins(horizon))):
        rules = rule_errors(data, origins, horizon)
        ahead = origins[:, None] + np.arange(1, horizon + 1)
        week = np.stack([data.table.y[origin - 6 : origin + 1].mean() for origin in origins])
        rules["recurrent part off"] = np.abs(data.table.y[ahead] - week[:, None])
        for rule, errors in rules.items():
            entry = result.setdefault(rule, {"errors": {}})
            entry[name], entry["errors"][name] = _steps(errors), packed(errors)
    return {"rules": result}


def _only(table: Any, covariates: tuple[str, ...]) -> Any:
    from dataclasses import replace

    return replace(table, covariates={name: table.covariates[name] for name in covariates})


def _steps(errors: Array) -> dict[str, float]:
    """Mean absolute error over all steps, of the first and of the last one."""
    by_step = errors.mean(axis=0)
    return {
        "mean": round(float(errors.mean()), 1),
        "first": round(float(by_step[0]), 1),
        "last": round(float(by_step[-1]), 1),
    }


def packed(errors: Array) -> str:
    """Each origin's mean absolute error, whole riders, as one line."""
    return " ".join(str(round(float(value))) for value in errors.mean(axis=1))


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--seed", type=int, choices=SEEDS)
    parser.add_argument("--report", action="store_true", help="only print the table of the runs that are there")
    arguments = parser.parse_args()
    record = Record("cta", PROTOCOL)
    if not arguments.report:
        data = load_ridership()
        for part in PARTS if arguments.part == "all" else [arguments.part]:
            record.run(f"{part}/rules", lambda part=part: run_rules(data, part))
            for network in NETWORKS:
                for seed in SEEDS if arguments.seed is None else [arguments.seed]:
                    key = f"{part}/{network}/{seed}"
                    run = record.run(key, lambda p=part, n=network, s=seed: run_network(data, p, n, s), seed=seed)
                    print(
                        f"{key}: validation {run['validation']['mean']:.0f}, test {run['test']['mean']:.0f}, "
                        f"{run['seconds']:.0f} s",
                        flush=True,
                    )
    print(record.told(report))


if __name__ == "__main__":
    main()
