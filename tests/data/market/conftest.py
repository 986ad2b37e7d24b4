"""What the tests of market tables share: days of prices that move by small steps."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest


def made_prices(n: int = 40, *, seed: int = 0, **columns: Any) -> pd.DataFrame:
    """Weekdays from 2020-01-06 with open, high, low and close."""
    random = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(random.normal(0, 0.01, n)))
    opening = close * np.exp(random.normal(0, 0.004, n))
    high, low = np.maximum(opening, close) * 1.004, np.minimum(opening, close) * 0.997
    days = pd.bdate_range("2020-01-06", periods=n)
    return pd.DataFrame({"ds": days, "open": opening, "high": high, "low": low, "close": close, **columns})


@pytest.fixture
def prices() -> Callable[..., pd.DataFrame]:
    """Tables of prices."""
    return made_prices
