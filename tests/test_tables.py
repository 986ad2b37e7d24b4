"""The tables in the documents are those of the result files, and every benchmark can be asked what it does."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BENCHMARKS = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py"))
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("*.json"))


def test_the_documents_show_what_the_result_files_hold():
    # expected: docs/write_tables.py run on the files of benchmarks/results
    done = subprocess.run(
        [sys.executable, "-m", "docs.write_tables", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_says_how_it_is_run(name):
    module = importlib.import_module(f"benchmarks.{name}")
    assert f"python -m benchmarks.{name}" in (module.__doc__ or "")


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_every_run_says_where_it_comes_from(path):
    content = json.loads(path.read_text())
    assert content["benchmark"] == path.stem
    for key, run in content["runs"].items():
        for field in ("seconds", "command", "commit", "at", "machine"):
            assert run[field], f"{key} lacks {field}"
        assert str(run["command"]).startswith(f"python -m benchmarks.{path.stem}")
