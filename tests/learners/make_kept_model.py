"""Makes the model that is kept for each schema version, and what it must say for ever.

Run `python tests/learners/make_kept_model.py` once when a schema version is born, never again: an older folder
stays as it was written.
"""

import json
import math
from datetime import date, timedelta
from pathlib import Path

import recurra
from recurra.checkpoints import SCHEMA_VERSION

FOLDER = Path(__file__).parent / "models" / f"schema_{SCHEMA_VERSION}"
SETTINGS = {
    "horizon": 2, "cell": "lstm", "hidden_size": 4, "season": 4, "residual": "linear", "scaling": "standard",
    "future_covariates": ("f",), "past_covariates": ("c",), "calendar": ("weekday",), "quantiles": (0.1, 0.5, 0.9),
    "missing": "mask", "max_epochs": 2,
}  # fmt: skip


def rows(begin: int, end: int, *, target: bool = True) -> list[dict[str, object]]:
    """Rows of two daily series, from formulas alone; the tenth target is missing."""
    found: list[dict[str, object]] = []
    for k, name in enumerate("ab", start=1):
        for t in range(begin, end):
            ds = (date(2024, 1, 1) + timedelta(t)).isoformat()
            row: dict[str, object] = {"unique_id": name, "ds": ds, "f": float(t % 3), "c": "xy"[t % 2]}
            if target:
                row["y"] = None if t == 9 else round(10 * k + math.sin(math.pi * t / 2) + 0.1 * (t * t % 7), 6)
            found.append(row)
    return found


def main() -> None:
    """Write the folder and, beside it, its forecasts."""
    model = recurra.Forecaster(**SETTINGS).fit(rows(0, 60))
    model.save(FOLDER, data_name="formulas", data_licence="none needed")
    answer = model.forecasts(rows(0, 60), rows(60, 62, target=False))
    expected = {"model_hash": model.model_hash_, "quantiles": answer.quantiles.tolist(), "mean": answer.mean.tolist()}
    FOLDER.with_suffix(".json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
