"""What the tests of the command line share: running it in this process, a table, and one small saved model."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import recurra
from recurra.cli.app import main


@dataclass(frozen=True)
class Run:
    """What a run of `recurra` gave: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    """Run `recurra` in this process."""

    def call(*arguments: object) -> Run:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Run(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two daily series of 70 rows, with a covariate that is known in advance."""
    path = tmp_path_factory.mktemp("table") / "table.csv"
    lines = ["unique_id,ds,y,holiday"]
    for name, level in (("north", 10.0), ("south", 40.0)):
        for day in range(70):
            ds = np.datetime64("2024-01-01") + day
            lines.append(f"{name},{ds},{level + np.sin(day * 2 * np.pi / 7):.6f},{day % 7 // 5}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, table: Path) -> Path:
    """A saved model, hardly trained: what it says does not matter here, only that it always says the same."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    settings = {"context": 14, "hidden_size": 4, "max_epochs": 1, "quantiles": (0.05, 0.95), "calendar": ()}
    settings["keep"] = "trained"
    recurra.Forecaster(horizon=3, **settings).fit(table).save(folder)
    return folder


@pytest.fixture(scope="session")
def model_with_future(tmp_path_factory: pytest.TempPathFactory, table: Path) -> Path:
    """A saved model that needs the covariate `holiday` of the steps ahead."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    settings = {"context": 14, "hidden_size": 4, "max_epochs": 1, "quantiles": (0.05, 0.95), "calendar": ()}
    settings["keep"] = "trained"
    recurra.Forecaster(horizon=2, future_covariates=("holiday",), **settings).fit(table).save(folder)
    return folder
