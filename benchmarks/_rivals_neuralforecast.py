"""NeuralForecast's GRU or LSTM on ETTh1, in a process of its own: fit once, predict from each origin, tell the times.

Then all origins again in one call of cross_validation, with the fitted model and without fitting anew.

Run by the Python of .venvs/neuralforecast, which has neither Recurra nor its settings (see benchmarks.rivals):

    python _rivals_neuralforecast.py TABLE.npz CELL STEPS SEED THREADS

TABLE.npz holds `values` [series, rows], `ds` [rows], `train` (rows to learn from), `origins` (rows before each
forecast), `context` and `horizon`. The last line of its output is the answer in JSON.
"""

import json
import logging
import sys
import time
import warnings

import numpy as np
import pandas as pd
import torch
from neuralforecast import NeuralForecast
from neuralforecast.models import GRU, LSTM
from torch.optim.optimizer import register_optimizer_step_post_hook


def rows(values, ds, begin, end):
    """Rows begin ... end - 1 of every series as a long table."""
    n = len(values)
    names = np.repeat([f"series{i}" for i in range(n)], end - begin)
    return pd.DataFrame({"unique_id": names, "ds": np.tile(ds[begin:end], n), "y": values[:, begin:end].reshape(-1)})


def all_at_once(forecaster, values, ds, origins, context, horizon, name):
    """Every origin in one call: seconds, and the mean squared error."""
    table = rows(values, ds, origins[0] - context, origins[-1] + horizon)
    begun = time.perf_counter()
    step = int(origins[1] - origins[0])
    found = forecaster.cross_validation(df=table, n_windows=len(origins), step_size=step, use_fitted=True, refit=False)
    return time.perf_counter() - begun, float(np.mean((found[name] - found["y"]) ** 2)), len(found) // horizon


def main():
    """Fit, predict, print."""
    steps_done = []
    register_optimizer_step_post_hook(lambda *_: steps_done.append(1))
    path, cell, steps, seed, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    torch.set_num_threads(threads)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    table = np.load(path)
    values, ds, context, horizon = table["values"], table["ds"], int(table["context"]), int(table["horizon"])
    model = {"gru": GRU, "lstm": LSTM}[cell](
        h=horizon,
        input_size=context,
        encoder_n_layers=1,
        encoder_hidden_size=64,
        max_steps=steps,
        val_check_steps=10 * steps,
        random_seed=seed,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    forecaster = NeuralForecast(models=[model], freq="h")
    history = rows(values, ds, 0, int(table["train"]))
    begun = time.perf_counter()
    forecaster.fit(df=history)
    fit_s = time.perf_counter() - begun
    errors, seconds = [], []
    for origin in table["origins"]:
        window = rows(values, ds, origin - context, origin)
        begun = time.perf_counter()
        answer = forecaster.predict(df=window)
        seconds.append(time.perf_counter() - begun)
        forecast = answer.sort_values(["unique_id", "ds"])[type(model).__name__].to_numpy().reshape(len(values), -1)
        errors.append(np.mean((forecast - values[:, origin : origin + horizon]) ** 2, axis=1))
    once = all_at_once(forecaster, values, ds, table["origins"], context, horizon, type(model).__name__)
    assert once[2] == len(values) * len(table["origins"]), once
    told = {
        "fit_s": fit_s,
        "predict_s": seconds,
        "mse": np.array(errors).tolist(),
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": len(steps_done),
        "all_s": once[0],
        "all_mse": once[1],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
