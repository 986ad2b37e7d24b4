"""The CTA ridership protocol of Géron's chapter 15: its days, its windows, and the naive and linear rules on them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.baselines import LinearWindow, SeasonalNaive
from recurra.data.catalogue import load_cta_ridership
from recurra.data.columns import Columns
from recurra.data.series import SeriesTable

Array = npt.NDArray[np.float64]

TRAINING = np.datetime64("2016-01-01")
VALIDATION = np.datetime64("2019-01-01")
TEST = np.datetime64("2019-06-01")
WINDOW = 56
SEEDS = (0, 1, 2, 3, 4)
NETWORKS: dict[str, dict[str, Any]] = {
    "simple RNN": {"cell": "rnn"},
    "deep RNN": {"cell": "rnn", "num_layers": 3},
    "LSTM": {"cell": "lstm"},
    "GRU": {"cell": "gru"},
}
COVARIATES = ("bus", "day_type", "next_day_type")


@dataclass(frozen=True)
class Ridership:
    """Rail boardings a day from 2016 on, with bus boardings and day types, and where its parts begin.

    Args:
        table: all days; "next_day_type" is the type of the day after, which the calendar tells a day before.
        validation: row of 2019-01-01.
        test: row of 2019-06-01.
    """

    table: SeriesTable
    validation: int
    test: int

    @property
    def before_test(self) -> SeriesTable:
        """Training and validation part."""
        return self.table.truncate(np.array([self.test]))

    @property
    def training(self) -> SeriesTable:
        """2016-01-01 to 2018-12-31."""
        return self.table.truncate(np.array([self.validation]))

    def validation_origins(self, horizon: int) -> npt.NDArray[np.int64]:
        """Géron's windows lie inside the validation part: the first forecast is made at its 56th day."""
        return np.arange(self.validation + WINDOW - 1, self.test - horizon)

    def test_origins(self, horizon: int) -> npt.NDArray[np.int64]:
        """Every day from 2019-05-31 on whose `horizon` next days are known."""
        return np.arange(self.test - 1, len(self.table) - horizon)


def load_ridership() -> Ridership:
    """The table, from the catalogue's data set `cta_ridership`."""
    both = load_cta_ridership()
    rail, bus = both.series(both.index_of("rail")), both.series(both.index_of("bus"))
    begin = int(np.searchsorted(rail.ds, TRAINING))
    types = rail.covariates["day_type"]
    columns: dict[str, Any] = {
        "ds": rail.ds[begin:],
        "rail": rail.y[begin:],
        "bus": bus.y[begin:],
        "day_type": types[begin:],
        "next_day_type": np.append(types[begin + 1 :], "W"),
    }
    table = SeriesTable.from_table(columns, columns=Columns(None, "ds", "rail"), covariates=COVARIATES, freq="D")
    starts = [int(np.searchsorted(table.ds, day)) for day in (VALIDATION, TEST)]
    return Ridership(table, *starts)


def actual_values(data: Ridership, origins: npt.NDArray[np.int64], horizon: int) -> Array:
    """What came after each origin, [origins, horizon]."""
    return data.table.y[origins[:, None] + np.arange(1, horizon + 1)]


def rule_errors(data: Ridership, origins: npt.NDArray[np.int64], horizon: int) -> dict[str, Array]:
    """Absolute errors of the rules that were fitted on the training part, [origins, horizon] each."""
    rules = {"naive (7 days before)": SeasonalNaive(7), "linear": LinearWindow(WINDOW)}
    actual = actual_values(data, origins, horizon)
    errors = {}
    for name, rule in rules.items():
        rule.fit(data.training)
        values = [rule.values(data.table.truncate(np.array([origin + 1])), horizon)[0] for origin in origins]
        errors[name] = np.abs(np.stack(values) - actual)
    return errors
