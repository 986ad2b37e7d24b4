"""A million one-step predictions over 10,000 series of 500 rows, in a process of its own (see benchmarks.rivals)."""

import json
import resource
import sys
import time

import numpy as np
import pandas as pd
import torch

from recurra import Forecaster

SERIES, ROWS, FORECAST = 10_000, 500, 100


def main() -> None:
    """Predict from each of the last rows of every series; print seconds, rate and peak memory in JSON."""
    torch.set_num_threads(2)
    random = np.random.default_rng(0)
    names = np.repeat(np.arange(SERIES), ROWS)
    days = np.tile(pd.date_range("2023-01-01", periods=ROWS).to_numpy(), SERIES)
    y = np.sin(2 * np.pi * np.arange(SERIES * ROWS) / 7) + 0.1 * random.normal(size=SERIES * ROWS)
    table = pd.DataFrame({"unique_id": names, "ds": days, "y": y})
    model = Forecaster(horizon=1, residual="season_mean", max_epochs=1).fit(table.iloc[: 50 * ROWS])
    begun = time.perf_counter()
    found = model.hindcast(table, since=ROWS - FORECAST)
    seconds = time.perf_counter() - begun
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    told = {"predictions": len(found.rows), "predictions a second": round(len(found.rows) / seconds)}
    print(json.dumps({**told, "prediction seconds": round(seconds, 2), "peak, MB": round(peak_kb / 1000, 1)}))


if __name__ == "__main__":
    main()
