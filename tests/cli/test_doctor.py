"""recurra doctor: facts, not guesses."""

import json
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch

import recurra.nn
from recurra.cli import doctor
from recurra.kernels import machine, native_is_built

Run = Callable[..., Any]


def test_facts(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECURRA_DATA_DIR", str(tmp_path))
    found = run("doctor", "--json")
    facts = json.loads(found.out)
    assert found.code == 0
    assert facts["recurra"]["version"] == recurra.__version__
    assert facts["packages"]["torch"] == version("torch")
    assert facts["computing"]["threads"] == torch.get_num_threads()
    assert facts["computing"]["instructions"] == torch.backends.cpu.get_cpu_capability()
    assert facts["data"] == {
        "RECURRA_DATA_DIR": str(tmp_path),
        "folder": str(tmp_path),
        "is_there": True,
        "writable": True,
    }


def test_the_kernels_are_named_or_their_absence_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = json.loads(run("doctor", "--json").out)["backends"]
    if native_is_built():
        assert found["native"] is True
        assert found["auto_takes"] == recurra.nn.LSTM(2, 3).explain_backend().name
        assert found["instruction_set"] == machine.instruction_set()
        assert found["built_with"].split()[0] in ("GCC", "Clang")
        assert found["remedy"] is None
    monkeypatch.setattr("recurra.kernels._compiled.native", None)
    found = json.loads(run("doctor", "--json").out)["backends"]
    assert (found["native"], found["auto_takes"], found["instruction_set"]) == (False, "torch", None)
    assert "C++17 compiler" in found["remedy"]


def test_the_extras_are_those_of_pyproject(run: Run) -> None:
    extras = doctor.extras()
    assert extras["plots"] == ["matplotlib"]
    assert set(extras["samples"]) == {"statsmodels", "arch"}
    assert "dev" not in extras
    assert json.loads(run("doctor", "--json").out)["extras"]["plots"] is True


def test_words_for_people(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "installed", lambda name: None if name == "polars" else "1.0")
    text = run("doctor").out
    assert "  polars           -\n" in text
    assert "  reference        yes\n" in text


def test_a_folder_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """The test may run as root, whom no permission stops: so the attempt itself is made to fail."""

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert json.loads(run("doctor", "--json").out)["data"]["writable"] is False
