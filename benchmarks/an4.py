"""CMU AN4 from MFCC: census answers, spelled and spoken; characters by CTC, speakers of the test never heard before.

python -m benchmarks.an4 [--seed S] [--report]

One bidirectional network a seed; its best epoch is chosen on 8 speakers held out of the training part; then the 130
test utterances are transcribed once: by the best path, which uses no language model, and by beam search with the
unigram model that comes with the set.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks._bars import met, pending
from benchmarks._record import Record
from recurra import SpeechRecognizer
from recurra.data.catalogue import load_an4, locate
from recurra.decoding import read_arpa
from recurra.metrics import edits
from recurra.prediction import Decoding

SEEDS = (0, 1, 2)
SETTINGS: dict[str, Any] = {
    "features": "given",
    "deltas": 2,
    "normalisation": "utterance",
    "augment": ("none", "tempo=0.15", "time_masks=2", "time_width=0.06", "feature_masks=1", "feature_width=0.2"),
    "cell": "gru",
    "hidden_size": 128,
    "num_layers": 2,
    "channels": 96,
    "strides": (2,),
    "dropout": 0.3,
    "validation": 8,
    "batch_size": 16,
    "max_epochs": 32,
    "patience": 32,
}
BEAM, WEIGHT = 32, 1.0
PROTOCOL = (
    "948 training and 130 test utterances, no speaker in both; 8 speakers, drawn by the seed, are taken from the "
    "training part and decide which epoch is kept. 13 MFCC with two derivatives, normalised per utterance. "
    "Characters with the space; CER on 2,565 characters, WER on 773 words. Best path: no language model. Beam: prefix "
    "beam search of width 32 with the set's unigram model (all words equally likely), weight 1, only its words; "
    "width and weight were set before any test figure was seen. Intervals: 95 %, bootstrap over utterances, seed 0. "
    "Published: ESPnet's BLSTM with CTC 12.6 % CER; deepspeech.pytorch (5 x 800, from audio) 4.8 % CER, 10.5 % WER."
)


def run(seed: int) -> dict[str, Any]:
    """Train one network and transcribe the test part."""
    utterances = load_an4()
    model = SpeechRecognizer(seed=seed, progress="lines", **SETTINGS)
    begun = time.process_time()
    model.fit(utterances)
    cpu_seconds = time.process_time() - begun
    test = utterances.of_split("test")
    lexicon = read_arpa(locate("an4_mfcc") / "etc" / "an4.ug.lm")
    searches = {"best path": None, "beam": Decoding(BEAM, lexicon, WEIGHT, closed=True)}
    figures = {name: score(test.targets, model.predict(test.inputs, how)) for name, how in searches.items()}
    return {
        "test": figures,
        "validation": {name: round(100 * rate, 2) for name, rate in model.validation_.items()},
        "parameters": model.n_parameters_,
        "best_epoch": model.history_.best_epoch,
        "training_seconds": round(model.history_.seconds, 1),
        "training_cpu_seconds": round(cpu_seconds, 1),
    }


def score(references: Sequence[str], found: Sequence[str]) -> dict[str, Any]:
    """Error rates in percent with intervals over utterances."""
    pairs = {
        "CER": edits([list(text) for text in references], [list(text) for text in found]),
        "WER": edits([text.split() for text in references], [text.split() for text in found]),
    }
    return {name: interval(np.array(counts)) for name, counts in pairs.items()}


def interval(counts: Any) -> list[float]:
    """Rate and its 95 % interval, percent, from (edits, units) of each utterance."""
    rate = counts[:, 0].sum() / counts[:, 1].sum()
    drawn = np.random.default_rng(0).integers(0, len(counts), (2000, len(counts)))
    rates = counts[drawn, 0].sum(1) / counts[drawn, 1].sum(1)
    return [round(100 * float(value), 2) for value in (rate, *np.percentile(rates, [2.5, 97.5]))]


def report(runs: Mapping[str, Any]) -> str:
    """The table in Markdown."""
    lines = [
        "| seed | CER, best path | WER, best path | CER, beam and unigrams | WER, beam and unigrams | validation CER | "
        "training, s (CPU s) |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = [run for run in runs.values() if "test" in run]
    for run in sorted(rows, key=lambda run: run["seed"]):
        cells = [_shown(run["test"][how][rate]) for how in ("best path", "beam") for rate in ("CER", "WER")]
        took = f"{run['training_seconds']:.0f} ({run['training_cpu_seconds']:.0f})"
        lines.append(f"| {run['seed']} | {' | '.join(cells)} | {run['validation']['characters']:.1f} | {took} |")
    if rows:
        means = [
            np.mean([r["test"][how][rate][0] for r in rows]) for how in ("best path", "beam") for rate in ("CER", "WER")
        ]
        lines += ["| mean | " + " | ".join(f"**{mean:.1f}**" for mean in means) + " | | |"]
        wanted = [f"seed {seed}" for seed in SEEDS]
        verdict = pending(wanted, runs) or f"{met(means[0] < 12.6)}; aim: {met(means[0] <= 10)}"
        lines += ["", f"Bar: CER under 12.6 % without a language model (aim 10 %): {means[0]:.1f} %, {verdict}."]
    return "\n".join(lines)


def _shown(values: Sequence[float]) -> str:
    return f"{values[0]:.1f} ({values[1]:.1f}-{values[2]:.1f})"


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, choices=SEEDS)
    parser.add_argument("--report", action="store_true", help="only print the table of the runs that are there")
    arguments = parser.parse_args()
    record = Record("an4", PROTOCOL)
    if not arguments.report:
        for seed in SEEDS if arguments.seed is None else [arguments.seed]:
            found = record.run(f"seed {seed}", lambda s=seed: run(s), seed=seed)
            print(f"seed {seed}: {found['test']}", flush=True)
    print(record.told(report))


if __name__ == "__main__":
    main()
