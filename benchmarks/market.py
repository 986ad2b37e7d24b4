"""The S&P 500 walked forward, 2010 to 2018: does a recurrent network forecast variance or returns better than log-HAR?

python -m benchmarks.market [--part P] [--seed S] [--report]

Parts: rules (the anchors' figures, without any network), base and vix (the network, five seeds each, without and with
the VIX), shuffled (200 tables without anything to forecast), signs (200 stretches of real days, the signs of their
returns drawn at random), planted and planted-long (20 each with an autoregression of R2 3 %).
"""

import argparse
from collections.abc import Callable
from typing import Any

from benchmarks._market_report import report
from benchmarks._market_runs import SEEDS, TABLES, run_network, run_planted, run_rules, run_shuffled, run_signs
from benchmarks._record import Record

PARTS = ("rules", "base", "vix", *TABLES)
PROTOCOL = (
    "Daily S&P 500 with 5-minute realised variance, learned from 2000-01-03 on, tested on the 2,095 days from "
    "2010-01-04 to 2018-04-30, one day ahead. Scales, the log-HAR path, the rules and the networks are fitted anew "
    "every 250 days on all days before (part rules: every 22 days). The network starts from the log-HAR with negative "
    "returns, and with ln VIX in part vix; that path alone is the last rule, and the same learner without a recurrent "
    "layer is the row 'recurrent part off'. Step size, number of epochs, width, decay and the weights of the losses "
    "were chosen on 2005 to 2009 with networks trained on the days from 2000 before each fold; nothing was chosen on "
    "the test days. Each rule's returns are Student-t with degrees of freedom fitted in the fold; 'Gaussian NLL' "
    "takes only mean and variance. Shuffled and planted: 2,000 days of the set in random order, 1,000 learned from "
    "once, 1,000 tested, hidden size 8; the verdict is that of the report, in the returns or in the variance. The "
    "planted signals of that length were run first; those as long as the real test (2,500 days learned from, 2,095 "
    "tested) were added when one of the 20 was missed, and both are reported. Signs: 2,000 days of the set in their "
    "order, from a day drawn at random on, with the signs of the returns drawn at random: variance, its clusters and "
    "the network's other inputs are real, and the returns cannot be forecast. 1,000 days are learned from once, 1,000 "
    "tested, hidden size 16, the default; the verdict is that in the returns alone, since the variance can be forecast."
)


def work(part: str, seed: int | None) -> list[tuple[str, Callable[[], dict[str, Any]]]]:
    """The runs of a part: key and what makes the figures."""
    seeds = SEEDS if seed is None else (seed,)
    if part == "rules":
        return [(f"rules/{name}", lambda vix=vix: run_rules(vix)) for name, vix in (("base", False), ("vix", True))]
    if part in ("base", "vix"):
        return [(f"{part}/{s}", lambda s=s: run_network(part == "vix", s)) for s in seeds]
    made: dict[str, Callable[[int], dict[str, Any]]] = {
        "shuffled": run_shuffled,
        "signs": run_signs,
        "planted": lambda number: run_planted(number, "short"),
        "planted-long": lambda number: run_planted(number, "long"),
    }
    return [(f"{part}/{number}", lambda number=number: made[part](number)) for number in range(TABLES[part])]


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--seed", type=int, choices=SEEDS)
    parser.add_argument("--report", action="store_true", help="only print the tables of the runs that are there")
    arguments = parser.parse_args()
    record = Record("market", PROTOCOL)
    if not arguments.report:
        for part in PARTS if arguments.part == "all" else [arguments.part]:
            for key, figures in work(part, arguments.seed):
                run = record.run(key, figures, seed=int(key.rpartition("/")[2]) if part != "rules" else 0)
                print(f"{key}: {run.get('sentence', run.get('evidence'))} ({run['seconds']:.0f} s)", flush=True)
    print(record.told(report))


if __name__ == "__main__":
    main()
