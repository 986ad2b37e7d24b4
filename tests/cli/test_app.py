"""The command itself: its verbs, its exit codes, and what an error looks like."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import recurra
from recurra.cli import doctor
from recurra.errors import ConfigError, TrainingError

Run = Callable[..., Any]
RECURRA = str(Path(sys.executable).with_name("recurra"))
VERBS = ["fit", "predict", "backtest", "tune", "stream", "data", "demo", "doctor"]


def test_help_names_every_verb_and_every_exit_code(run: Run) -> None:
    found = run("--help")
    assert found.code == 0
    for verb in VERBS:
        assert f" {verb} " in found.out
    for code in ("0 done", "1 it failed", "2 wrong usage", "130"):
        assert code in found.out


@pytest.mark.parametrize("verb", [*([verb] for verb in VERBS), *(["data", verb] for verb in ("list", "fetch", "path"))])
def test_every_verb_has_help_with_the_common_flags(run: Run, verb: list[str]) -> None:
    found = run(*verb, "--help")
    assert found.code == 0
    assert f"recurra {' '.join(verb)}" in found.out
    if verb != ["data"]:
        assert "--json" in found.out
        assert "--debug" in found.out


def test_version(run: Run) -> None:
    assert run("--version").out.strip() == recurra.__version__


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["fot"], 'Did you mean "fit"?', "See recurra --help."),
        (["fit", "t.csv", "--out", "m", "--horizn", "3"], "Did you mean --horizon?", "See recurra fit --help."),
        (["fit", "t.csv"], "--out", "See recurra fit --help."),
        (["fit", "t.csv", "--out", "m", "--horizon", "x"], '"x" into int', "See recurra fit --help."),
        (
            ["fit", "t.csv", "--out", "m", "--cell", "transformer"],
            '"transformer" for --cell',
            "See recurra fit --help.",
        ),
        (["data", "lst"], 'Did you mean "list"?', "See recurra data --help."),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(run: Run, arguments: list[str], said: str, hint: str) -> None:
    found = run(*arguments)
    assert found.code == 2
    assert found.out == ""
    assert found.err.startswith("recurra: error: ")
    assert found.err.count("\n") == 1
    assert said in found.err
    assert hint in found.err


def raising(error: BaseException) -> Callable[[], None]:
    def findings() -> None:
        raise error

    return findings


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("horizon=0:\n  give 1"), 2, "recurra: error: horizon=0: give 1"),
        (TrainingError("it ended"), 1, "recurra: error: it ended"),
        (KeyboardInterrupt(), 130, "recurra: interrupted"),
        (PermissionError(13, "Permission denied", "f.csv"), 1, "f.csv: Permission denied; check the path"),
        (KeyError("x"), 1, "error: KeyError: 'x' (a bug in Recurra: run it again with --debug and report it)"),
    ],
)
def test_an_error_is_one_line_and_a_code(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, line: str
) -> None:
    monkeypatch.setattr(doctor, "findings", raising(error))
    found = run("doctor")
    assert found.code == code
    assert line in found.err
    assert found.err.count("\n") == 1
    assert found.out == ""


@pytest.mark.parametrize("arguments", [["doctor", "--debug"], ["--debug", "doctor"]])
def test_debug_shows_the_traceback(run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setattr(doctor, "findings", raising(ConfigError("wrong")))
    found = run(*arguments)
    assert found.code == 2
    assert "Traceback" in found.err
    assert found.err.splitlines()[-1] == "recurra: error: wrong"


def test_the_console_script_gives_the_exit_code() -> None:
    found = subprocess.run([RECURRA, "fot"], capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1


def test_a_reader_that_goes_away_is_no_drama() -> None:
    """`true` reads nothing; what follows must not complain about the closed pipe, not even at Python's exit."""
    script = f'"{RECURRA}" data list | true; exit "${{PIPESTATUS[0]}}"'
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert found.stderr == ""
    assert found.returncode in (0, 1)  # 0 if all of it fitted into the pipe before `true` ended


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from recurra.cli.app import main; main(['--help']); "
        "sys.exit(bool({'torch', 'numpy', 'pydantic', 'narwhals'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False).returncode == 0
