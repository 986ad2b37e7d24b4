"""Builds: the kernels' own test and its sanitizers, other compilers, and an installation without a compiler."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = [pytest.mark.conformance, pytest.mark.timeout(1800)]
WITHOUT = """
import importlib.abc, sys, warnings
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "recurra.kernels._native":
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
import torch, recurra.nn
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for _ in range(3):
        for kind in ("RNN", "LSTM", "GRU"):
            y, _ = getattr(recurra.nn, kind)(3, 5)(torch.zeros(2, 1, 3))
            assert y.shape == (2, 1, 5)
    for w in caught:
        print(f"{w.category.__name__}: {w.message}")
"""


def make(target: str) -> str:
    done = subprocess.run(["make", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("target", ["selftest", "sanitize", "clang", "neon"])
def test_the_kernels_own_test_passes(target: str) -> None:
    needs = {"clang": ["clang++"], "neon": ["aarch64-linux-gnu-g++", "qemu-aarch64"]}.get(target, [])
    missing = [name for name in needs if shutil.which(name) is None]
    if missing:
        pytest.skip(f"make {target} needs {' and '.join(missing)}, which this machine does not have")
    assert ", 0 failed" in make(target)


def wheel(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A wheel built where no compiler works."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), "."]
    settings = {**os.environ, "CC": "/bin/false", "CXX": "/bin/false", "PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
    settings |= {"SKBUILD_BUILD_DIR": str(folder / "build"), "PIP_BUILD_CONSTRAINT": settings["PIP_CONSTRAINT"]}
    settings.pop("RECURRA_REQUIRE_NATIVE", None)
    return subprocess.run(
        command, cwd=ROOT, env={**settings, **environment}, capture_output=True, text=True, check=False
    )


def test_without_a_compiler_the_pure_python_package_is_built(tmp_path: Path) -> None:
    done = wheel(tmp_path)
    assert done.returncode == 0, done.stderr
    (made,) = tmp_path.glob("*.whl")
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(made)], capture_output=True, text=True, check=True
    )
    assert "recurra/nn/lstm.py" in listed.stdout
    assert "_native.cpython" not in listed.stdout


def test_a_failed_build_is_an_error_where_the_kernels_are_required(tmp_path: Path) -> None:
    done = wheel(tmp_path, RECURRA_REQUIRE_NATIVE="1")
    assert done.returncode != 0
    assert not list(tmp_path.glob("*.whl"))


def test_layers_run_without_the_kernels_and_say_so_once() -> None:
    settings = {name: value for name, value in os.environ.items() if name != "RECURRA_REQUIRE_NATIVE"}
    done = subprocess.run([sys.executable, "-c", WITHOUT], env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("NotBuiltWarning: the native kernels are not built")
    assert "docs/building.md" in line
