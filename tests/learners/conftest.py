"""What the tests of learners share: small tables, quick settings, and one trained model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import recurra

QUICK: dict[str, Any] = {
    "horizon": 3, "hidden_size": 4, "context": 10, "max_epochs": 1, "quantiles": (0.1, 0.5, 0.9), "season": 7,
    "residual": "seasonal", "keep": "trained",
}  # fmt: skip


def seasonal(names: str = "ab", n: int = 60, *, noise: float = 0.1, seed: int = 0, **columns: Any) -> pd.DataFrame:
    """Daily series with a week's season and a little noise."""
    rng = np.random.default_rng(seed)
    frames = []
    for k, name in enumerate(names):
        y = 10.0 * (k + 1) + np.sin(2 * np.pi * np.arange(n) / 7 + k) + noise * rng.normal(size=n)
        days = pd.date_range("2024-01-01", periods=n)
        frames.append(pd.DataFrame({"unique_id": name, "ds": days, "y": y, **columns}))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """Two daily series of 60 rows."""
    return seasonal()


@pytest.fixture(scope="session")
def make_table() -> Callable[..., pd.DataFrame]:
    """Tables like `table`."""
    return seasonal


@pytest.fixture(scope="session")
def quick() -> Callable[..., recurra.Forecaster]:
    """A forecaster that trains in a moment."""
    return lambda **changes: recurra.Forecaster(**{**QUICK, **changes})


@pytest.fixture(scope="module")
def fitted(table: pd.DataFrame) -> recurra.Forecaster:
    """A forecaster fitted on `table`."""
    return recurra.Forecaster(**QUICK).fit(table)
