"""The tables of `python -m benchmarks.eth_ucy`, written from its result file."""

from typing import Any

import numpy as np

from benchmarks._bars import not_run

SEEDS = (0, 1, 2, 3, 4)
SCENES = ("eth", "hotel", "univ", "zara1", "zara2")
NETWORKS = {
    "gru": "GRU, points",
    "lstm": "LSTM, points",
    "neighbours": "GRU, points, 4 neighbours",
    "mixture": "GRU, mixture (its mean)",
}
RESAMPLES = 2_000


def report(runs: dict[str, Any]) -> str:
    """Every table that there are runs for, as Markdown."""
    parts = [best_of_one(runs), honest(runs), best_of_twenty(runs), by_step(runs)]
    return "\n\n".join([*(part for part in parts if part), *_missing(runs)])


def _missing(runs: dict[str, Any]) -> list[str]:
    """In words: networks with too few seeds, and what has no run."""
    whole = {title: len(_seeds(runs, part)) for part, title in NETWORKS.items()}
    short = [f"{title} {n} of {len(SEEDS)}" for title, n in whole.items() if 0 < n < len(SEEDS)]
    rules = [] if any(key.startswith("rules/") for key in runs) else ["the naive rules"]
    absent = rules + [title for part, title in NETWORKS.items() if not any(k.startswith(f"{part}/") for k in runs)]
    return ([f"Seeds so far: {'; '.join(short)}."] if short else []) + not_run(absent)[1:]


def _seeds(runs: dict[str, Any], part: str) -> list[list[Any]]:
    """The runs of every seed that has all five scenes, scene by scene."""
    seeds = sorted({key.split("/")[2] for key in runs if key.startswith(part + "/")})
    whole = [[runs.get(f"{part}/{scene}/{seed}") for scene in SCENES] for seed in seeds]
    return [row for row in whole if all(row)]


def _pairs(values: "np.ndarray[Any, Any]") -> list[str]:
    """Scenes and their mean as "ADE / FDE" from [seed, scene, 2]."""
    mean = values.mean(0)
    cells = [f"{ade:.3f} / {fde:.3f}" for ade, fde in mean]
    average = values.mean(1)
    spread = f" ± {average[:, 0].std(ddof=1):.3f}" if len(average) > 1 else ""
    return [*cells, f"**{average[:, 0].mean():.3f} / {average[:, 1].mean():.3f}**{spread}"]


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def best_of_one(runs: dict[str, Any]) -> str:
    """ADE / FDE of the middle path, windows with at least two people."""
    rows = []
    rules = [runs.get(f"rules/{scene}") for scene in SCENES]
    if all(rules):
        for name in ("stand still", "constant velocity", "mean velocity", "linear map"):
            scores = [run["rules"][name]["people_2"] for run in rules if run]
            rows.append([name, "-", *_pairs(np.array([[[s["ade"], s["fde"]] for s in scores]]))])
    for part, title in NETWORKS.items():
        whole = _seeds(runs, part)
        if whole:
            found = np.array([[[r["people_2"]["ade"], r["people_2"]["fde"]] for r in row] for row in whole])
            off = np.array([[[r["people_2"]["switched_off"][m] for m in ("ade", "fde")] for r in row] for row in whole])
            rows.append([title, str(len(whole)), *_pairs(found)])
            rows.append([f"{title}: correction switched off", str(len(whole)), *_pairs(off)])
    header = ["best of 1, ADE / FDE in metres", "seeds", *(scene.upper() for scene in SCENES), "AVG"]
    return _table(header, rows) if rows else ""


def honest(runs: dict[str, Any]) -> str:
    """What the correction changes: difference of AVG with its interval over persons, windows improved, worst scene."""
    rows = []
    for part, title in NETWORKS.items():
        whole = [row for row in _seeds(runs, part) if "differences" in row[0]]
        if not whole:
            continue
        ends = _average_intervals(whole)
        shares = [np.mean([r["people_2"]["against_constant_velocity"]["improved"] for r in row]) for row in whole]
        changes = {scene: np.mean([_change(row[i]) for row in whole]) for i, scene in enumerate(SCENES)}
        worst = max(changes, key=lambda scene: changes[scene])
        rows.append(
            [
                title,
                *(f"{mean:+.4f} ({low:+.4f} to {high:+.4f})" for mean, low, high in ends),
                f"{100 * np.mean(shares):.1f} %",
                f"{worst.upper()} {100 * changes[worst]:+.1f} %",
            ]
        )
    header = [
        "less constant velocity, AVG",
        "ADE, 95 % interval",
        "FDE, 95 % interval",
        "windows improved",
        "worst scene, ADE",
    ]
    return _table(header, rows) if rows else ""


def _change(run: dict[str, Any]) -> float:
    difference = run["people_2"]["against_constant_velocity"]["difference"]
    return float(difference / (run["people_2"]["ade"] - difference))


def _average_intervals(whole: list[list[Any]]) -> list[tuple[float, float, float]]:
    """Mean over scenes of the difference to constant velocity, averaged over seeds; persons drawn in each scene."""
    random = np.random.default_rng(0)
    drawn = np.zeros((RESAMPLES, 2))
    middle = np.zeros(2)
    for scene in range(len(SCENES)):
        arrays = [
            np.array([[int(v) for v in p.split(",")] for p in row[scene]["differences"].split()]) for row in whole
        ]
        sums, counts = np.mean([a[:, :2] for a in arrays], 0) / 1000.0, arrays[0][:, 2].astype(float)
        middle += sums.sum(0) / counts.sum() / len(SCENES)
        weights = random.multinomial(len(counts), np.full(len(counts), 1.0 / len(counts)), RESAMPLES)
        drawn += (weights @ sums) / (weights @ counts)[:, None] / len(SCENES)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return [(float(middle[i]), float(low[i]), float(high[i])) for i in range(2)]


def best_of_twenty(runs: dict[str, Any]) -> str:
    """The mixture beside constant velocity with a fitted normal distribution, windows with at least one person."""
    whole = _seeds(runs, "mixture")
    rules = [runs.get(f"rules/{scene}") for scene in SCENES]
    if not whole or not all(rules):
        return ""
    rows = []
    for how in ("draws", "spread"):
        for people in ("", "_scene"):
            names = (f"ade{people}", f"fde{people}")
            title = f"20 {'draws' if how == 'draws' else 'spread futures'}, {'per scene' if people else 'per person'}"
            found = np.array([[[r["people_1"]["best_of"][how][m] for m in names] for r in row] for row in whole])
            rows.append([f"mixture: {title}", *_pairs(found)])
            base = np.array(
                [[[r["rules"]["constant velocity"]["best_of_20"][how][m] for m in names] for r in rules if r]]
            )
            rows.append([f"constant velocity, fitted normal: {title}", *_pairs(base)])
    one = np.array([[[r["people_1"]["ade"], r["people_1"]["fde"]] for r in row] for row in whole])
    rows.append(["mixture: best of 1 (its mean)", *_pairs(one)])
    table = _table(["windows of at least one person, ADE / FDE", *(s.upper() for s in SCENES), "AVG"], rows)
    nlls = [_nll_row("mixture", [[r["people_1"]["nll"] for r in row] for row in whole])]
    nlls.append(
        _nll_row(
            "constant velocity, fitted normal",
            [[r["rules"]["constant velocity"]["people_1"]["nll"] for r in rules if r]],
        )
    )
    second = _table(["NLL of a position, nats", *(s.upper() for s in SCENES), "AVG"], nlls)
    levels = list(whole[0][0]["people_1"]["calibration"])
    held = [np.mean([[r["people_1"]["calibration"][level] for r in row] for row in whole]) for level in levels]
    found = ", ".join(
        f"{100 * float(level):.0f} %: {100 * share:.1f} %" for level, share in zip(levels, held, strict=True)
    )
    return f"{table}\n\n{second}\n\nThe mixture's regions held the truth, claimed and found over the scenes: {found}."


def _nll_row(title: str, values: list[list[float]]) -> list[str]:
    array = np.array(values)
    return [title, *(f"{value:.3f}" for value in array.mean(0)), f"**{array.mean():.3f}**"]


def by_step(runs: dict[str, Any]) -> str:
    """Error at each step ahead, mean of the scenes."""
    rows = []
    rules = [runs.get(f"rules/{scene}") for scene in SCENES]
    if all(rules):
        values = np.mean([r["rules"]["constant velocity"]["people_2"]["by_step"] for r in rules if r], 0)
        rows.append(["constant velocity", *(f"{v:.3f}" for v in values[[0, 2, 5, 8, 11]])])
    for part, title in NETWORKS.items():
        whole = _seeds(runs, part)
        if whole:
            values = np.mean([[r["people_2"]["by_step"] for r in row] for row in whole], (0, 1))
            rows.append([title, *(f"{v:.3f}" for v in values[[0, 2, 5, 8, 11]])])
    return _table(["error in metres after", "0.4 s", "1.2 s", "2.4 s", "3.6 s", "4.8 s"], rows) if rows else ""
