"""Recurra's side of the rivals benchmark, in a process of its own (see benchmarks.rivals): CELL SEED THREADS."""

import json
import sys
import time

import numpy as np
import pandas as pd
import torch

from benchmarks._rivals_data import CONTEXT, HORIZON, TRAIN, VALIDATION, load_rivals
from benchmarks.rivals import SETTINGS
from recurra import Forecaster


def main() -> None:
    """Fit, predict from each origin, print the answer in JSON."""
    cell, seed, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    data = load_rivals()
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
    steps = sum(1 for _ in model.history_.epochs)
    told = {"fit_s": fit_s, "predict_s": seconds, "mse": np.array(errors).tolist(), "epochs": steps}
    print(json.dumps({**told, "parameters": model.n_parameters_}))


if __name__ == "__main__":
    main()
