"""Makes the translator that is kept for each schema version, and what it must say for ever.

Run `python tests/learners/make_kept_translator.py` once when a schema version is born, never again: an older folder
stays as it was written.
"""

import json
from pathlib import Path

import recurra
from recurra.checkpoints import SCHEMA_VERSION

FOLDER = Path(__file__).parent / "models" / f"translator_schema_{SCHEMA_VERSION}"
SETTINGS = {
    "units": "symbols", "lowercase": "source", "cell": "gru", "embedding_size": 6,
    "hidden_size": 8, "attention": "additive", "dropout": 0.0, "recurrent_dropout": 0.0, "label_smoothing": 0.0,
    "batch_tokens": 60, "learning_rate": 0.02, "max_epochs": 20, "beam": 3, "length_penalty": 0.8,
}  # fmt: skip
WORDS = {"eins": "one", "zwei": "two", "drei": "three", "rot": "red", "blau": "blue"}
TEXTS = ["Eins rot", "blau drei", "zwei", "", "rot ROT fünf"]


def pairs() -> list[tuple[str, str]]:
    """All pairs of two words."""
    return [(f"{a} {b}", f"{WORDS[b]} {WORDS[a]}") for a in WORDS for b in WORDS for _ in range(4)]


def main() -> None:
    """Write the folder and, beside it, its answers."""
    model = recurra.Translator(**SETTINGS).fit(pairs(), validation=pairs()[:20])  # type: ignore[arg-type]
    model.save(FOLDER, data_name="numbers and colours", data_licence="none needed")
    answers = [
        [{"text": each.text, "score": each.score, "alignment": each.alignment} for each in found]
        for found in model.hypotheses(TEXTS, n_best=2)
    ]
    expected = {"model_hash": model.model_hash_, "answers": answers}
    FOLDER.with_suffix(".json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
