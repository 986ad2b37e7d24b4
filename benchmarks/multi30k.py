"""Multi30k, German and English: how well does one recurrent network with attention translate, how fast is it trained?

python -m benchmarks.multi30k [--part P] [--seed S] [--report]

Parts: de-en (three seeds), en-de (one seed), speed (tokens per second beside the same network on torch.nn's layers).
A training run keeps its state in build/multi30k/ after each epoch and goes on from there when it was broken off; its
model stays there too. Part speed, like benchmarks.translation_latency, needs no trained model: its weights are random.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks._bars import met, not_run, pending
from benchmarks._record import ROOT, Record
from benchmarks._translation_speed import DECIDING, measure
from recurra import Translator, load
from recurra.data.catalogue import load_multi30k
from recurra.data.text import SentencePairs
from recurra.metrics.text import bleu

SEEDS = {"de-en": (0, 1, 2), "en-de": (0,)}
BARS = {"de-en": 35.0, "en-de": 33.0}
AIM = 38.0
SETTINGS: dict[str, Any] = {
    "lowercase": "source",
    "vocabulary_size": 5000,
    "cell": "lstm",
    "embedding_size": 256,
    "hidden_size": 320,
    "dropout": 0.3,
    "recurrent_dropout": 0.1,
    "label_smoothing": 0.1,
    "validate_on": "bleu",
    "max_epochs": 15,
    "batch_tokens": 1200,
    "learning_rate": 2e-3,
    "average": 3,
}
PROTOCOL = (
    "Multi30k task 1, raw text, 29,000 pairs to learn from; subwords learned from these alone, one vocabulary for both "
    "languages; the source in small letters, the target as it is written. One network, beam of 5, alpha = 1. The "
    "epochs that are kept (the mean of three) were chosen by BLEU of greedy answers on the validation part; test 2016 "
    "was translated once a run. Lowercased tokenised BLEU is sacrebleu's on small letters with its tokeniser 13a; "
    "detokenised sacreBLEU is its default, letters as they are. Speed: pieces of the target learned per second, END "
    "included, with the recurrences on the native kernels and on PyTorch's own fused call, all else the same."
)
WORK = ROOT.parent / "build" / "multi30k"


def model_folder(part: str, seed: int) -> Path:
    """Where a run's model stays."""
    return WORK / f"{part}-{seed}"


def run(part: str, seed: int) -> dict[str, Any]:
    """Train one model, or go on training it, and score it."""
    data = load_multi30k(*part.split("-"))
    folder = model_folder(part, seed)
    if folder.exists():
        model = load(folder)
    else:
        model = Translator(**SETTINGS, seed=seed, progress="json")
        model.fit(data.train, validation=data.validation, resume=WORK / f"{part}-{seed}.run")
        model.save(folder, data_name="Multi30k task 1", data_licence="non-commercial research use")
    history = model.history_
    return {
        "validation": scores(model.translate(data.validation.source), data.validation),
        "test": scores(model.translate(data.test.source), data.test),
        "copied_test": scores(data.test.source, data.test),
        "greedy_validation": 100.0 - history.best_loss,
        "parameters": model.n_parameters_,
        "epochs": len(history.epochs),
        "best_epoch": history.best_epoch,
        "training_seconds": round(history.seconds),
        "report": model.reports_["training"].to_dict(),
    }


def scores(said: Sequence[str], pairs: SentencePairs) -> dict[str, Any]:
    """BLEU of answers to the pairs' sources."""
    lowered, cased = (bleu(said, pairs.target, lowercase=lower) for lower in (True, False))
    return {
        "lowercased": round(lowered.score, 2),
        "cased": round(cased.score, 2),
        "signatures": [lowered.signature, cased.signature],
    }


def report(runs: dict[str, Any]) -> str:
    """The tables of all runs so far."""
    lines = []
    trained = {key: found for key, found in runs.items() if "test" in found}
    if trained:
        lines += [
            "| direction | seed | test, lowercased tokenised | test, sacreBLEU | validation, lowercased | epochs "
            "| minutes |",
            "|---|---|---|---|---|---|---|",
        ]
        for key, found in sorted(trained.items()):
            part, _, seed = key.partition("/")
            lines.append(
                f"| {part} | {seed} | {found['test']['lowercased']:.2f} | {found['test']['cased']:.2f} "
                f"| {found['validation']['lowercased']:.2f} | {found['epochs']} "
                f"| {found['training_seconds'] / 60:.0f} |"
            )
        lowered, cased = next(iter(trained.values()))["test"]["signatures"]
        copied = ", ".join(f"{key} {found['copied_test']['lowercased']:.2f}" for key, found in sorted(trained.items()))
        lines += ["", *(_bar(part, trained) for part in SEEDS if any(key.startswith(f"{part}/") for key in trained))]
        lines += ["", f"Signatures: {lowered}; {cased}. Copying the source, lowercased: {copied}.", ""]
    if "speed" in runs:
        lines += [DECIDING.format(**runs["speed"]), ""]
    if runs:
        lines += not_run(part for part in (*SEEDS, "speed") if not any(key.split("/")[0] == part for key in runs))[1:]
    return "\n".join(lines)


def _bar(part: str, runs: dict[str, Any]) -> str:
    """One direction's bar beside the mean of its seeds."""
    scores = [found["test"]["lowercased"] for key, found in runs.items() if key.startswith(f"{part}/")]
    mean = sum(scores) / len(scores)
    wanted = [f"{part}/{seed}" for seed in SEEDS[part]]
    verdict = pending(wanted, runs) or f"{met(mean >= BARS[part])}; aim of {AIM:g}: {met(mean >= AIM)}"
    bar = f"Bar, {part}: BLEU at least {BARS[part]:g}, lowercased and tokenised"
    return f"{bar}: {mean:.2f} over {len(scores)} seed(s), {verdict}."


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=[*SEEDS, "speed", "all"], default="all")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--report", action="store_true", help="only print the tables of the runs that are there")
    arguments = parser.parse_args()
    record = Record("multi30k", PROTOCOL)
    if not arguments.report:
        for part, seeds in SEEDS.items():
            for seed in seeds if arguments.seed is None else [arguments.seed]:
                if arguments.part in (part, "all"):
                    record.run(f"{part}/{seed}", lambda p=part, s=seed: run(p, s), seed=seed)
        if arguments.part in ("speed", "all"):
            record.run("speed", lambda: measure(SETTINGS))
    print(record.told(report))


if __name__ == "__main__":
    main()
