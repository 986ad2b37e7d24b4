"""Recurra's side of the rivals benchmark, in a process of its own (see benchmarks.rivals): CELL SEED THREADS.

CELL is gru, lstm, or off: the linear rule that the networks correct, by itself.
"""

import json
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmarks._rivals_data import CONTEXT, HORIZON, TRAIN, VALIDATION, Rivals, load_rivals
from benchmarks.rivals import SETTINGS
from recurra import Forecaster


def all_at_once(model: Forecaster, data: Rivals) -> dict[str, float]:
    """The forecasts of every hour from the first origin on in one pass: seconds, and the error at the origins."""
    first = int(data.origins[0])
    window = data.table.slice(np.full(data.table.n_series, first - CONTEXT), data.table.lengths)
    begun = time.perf_counter()
    found = model.hindcast(window, CONTEXT - 1).median
    seconds = time.perf_counter() - begun
    forecasts = found.reshape(data.table.n_series, -1, HORIZON)[:, data.origins - first]
    return {"all_s": seconds, "all_mse": float(np.mean((forecasts - actual(data)) ** 2))}


def actual(data: Rivals) -> npt.NDArray[np.float64]:
    """What came after each origin, [series, origin, horizon]."""
    return np.stack([data.values[:, origin : origin + HORIZON] for origin in data.origins.tolist()], axis=1)


def without_network(data: Rivals) -> dict[str, Any]:
    """The linear rule as the learner fits it, at the same origins: no network, no seed, no gradient steps."""
    history = data.table.truncate(np.full(data.table.n_series, VALIDATION))
    settings = {**SETTINGS, "hidden_size": 1, "max_seconds": 1e-3}
    model = Forecaster(validation=VALIDATION - TRAIN, **settings).fit(history)
    preparation = model._predictor.preparation
    rows = (np.arange(data.table.n_series)[:, None] * data.values.shape[1] + data.origins - 1).reshape(-1)
    forecasts = preparation.rows(data.table).ahead(rows).reshape(data.table.n_series, -1, HORIZON)
    errors = np.mean((forecasts - actual(data)) ** 2, axis=(0, 2))
    return {
        "mse": round(float(errors.mean()), 4),
        "parameters": int(preparation.linear.size),
        "by_origin": " ".join(f"{value:.4g}" for value in errors),
    }


def main() -> None:
    """Print one side's answer in JSON."""
    cell, seed, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    data = load_rivals()
    print(json.dumps(without_network(data) if cell == "off" else with_network(data, cell, seed)))


def with_network(data: Rivals, cell: str, seed: int) -> dict[str, Any]:
    """Fit, predict from each origin by itself, then from all of them at once."""
    taken: list[int] = []
    register_optimizer_step_post_hook(lambda *_: taken.append(1))
    values, names = data.values, list(data.table.ids)
    ds = data.table.ds[: values.shape[1]]

    def rows(begin: int, end: int) -> pd.DataFrame:
        owner = np.repeat(names, end - begin)
        stamps = np.tile(ds[begin:end], len(names))
        return pd.DataFrame({"unique_id": owner, "ds": stamps, "y": values[:, begin:end].reshape(-1)})

    history = rows(0, VALIDATION)
    model = Forecaster(cell=cell, seed=seed, validation=VALIDATION - TRAIN, **SETTINGS)
    begun = time.perf_counter()
    model.fit(history)
    fit_s = time.perf_counter() - begun
    errors, seconds = [], []
    for origin in data.origins.tolist():
        window = rows(origin - CONTEXT, origin)
        begun = time.perf_counter()
        answer = model.predict(window)
        seconds.append(time.perf_counter() - begun)
        forecast = answer["forecast"].to_numpy().reshape(len(names), HORIZON)
        errors.append(np.mean((forecast - values[:, origin : origin + HORIZON]) ** 2, axis=1))
    return {
        "fit_s": fit_s,
        "predict_s": seconds,
        "mse": np.array(errors).tolist(),
        "parameters": model.n_parameters_,
        "steps": len(taken),
        **all_at_once(model, data),
    }


if __name__ == "__main__":
    main()
