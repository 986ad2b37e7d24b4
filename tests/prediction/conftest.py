"""What the tests of prediction share: tables, and predictors with random weights, which show more than trained ones."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch

from recurra.data import SeriesTable, TablePolicy
from recurra.data.preparation import Preparation, PreparationSpec
from recurra.models.forecast import ForecastNetwork, ForecastShape
from recurra.prediction import ForecastPredictor

LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture
def frame() -> Callable[..., pd.DataFrame]:
    """A table of series with a past covariate p, future covariates f (numbers) and c (categories)."""

    def build(names="ab", n=40, *, level=10.0, missing=False, stamps=None, seed=0) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        frames = []
        for k, name in enumerate(names):
            y = level + np.sin(2 * np.pi * np.arange(n) / 5 + k) + 0.3 * rng.normal(size=n)
            if missing:
                y[rng.random(n) < 0.2] = np.nan
                y[: 3 if k == 0 else 0] = np.nan
            ds = pd.date_range("2024-01-01", periods=n) if stamps is None else stamps[:n]
            codes = np.where(np.arange(n) % 3 == k % 3, "u", "v")
            frames.append(
                pd.DataFrame(
                    {"unique_id": name, "ds": ds, "y": y, "p": rng.normal(size=n), "f": rng.normal(size=n), "c": codes}
                )
            )
        return pd.concat(frames, ignore_index=True)

    return build


@pytest.fixture
def read() -> Callable[..., SeriesTable]:
    """A data frame as the model reads it."""

    def build(frame: pd.DataFrame, freq: str | None = None) -> SeriesTable:
        return SeriesTable.from_table(frame, covariates=("p", "f", "c"), freq=freq, policy=TablePolicy(missing="mask"))

    return build


@pytest.fixture
def predictor() -> Callable[..., ForecastPredictor]:
    """A predictor with random weights, its preparation fitted on a table."""

    def build(table: SeriesTable, *, cell="gru", num_layers=1, season=5, hidden_size=4, **changes) -> ForecastPredictor:
        masks = {name: changes.pop(name) for name in ("masked", "unseen") if name in changes}
        settings = {
            "horizon": 3, "reference": "seasonal", "scaling": "running", "memory": 8, "calendar": (),
            "time_zone": table.time_zone, "show_missing": True, **changes,
        }  # fmt: skip
        spec = PreparationSpec(season=season, frequency=table.frequency.code, **settings)
        linear = np.random.default_rng(5).normal(size=(7, 3)) * 0.2 if spec.reference == "linear" else None
        preparation = Preparation.fit(table, spec, linear, **masks)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            shape = ForecastShape(
                preparation.n_inputs, preparation.n_known, spec.horizon, LEVELS, cell, hidden_size, num_layers
            )
            network = ForecastNetwork(shape)
            for parameter in network.head.parameters():
                torch.nn.init.normal_(parameter, std=0.3)
        return ForecastPredictor(preparation, network)

    return build
