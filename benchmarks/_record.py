"""The result file of a benchmark: runs are merged into it one by one, so that a benchmark resumes where it stopped."""

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent


class Record:
    """benchmarks/results/NAME.json: {"benchmark", "protocol", "runs": {key: run}}.

    Several processes may each add their runs to one file.

    Each run holds its figures, seed, command, commit, time, machine, and a digest of the protocol it was made under.

    Args:
        name: the benchmark.
        protocol: how the figures were made, in a few sentences.
    """

    def __init__(self, name: str, protocol: str) -> None:
        self.name, self.path = name, ROOT / "results" / f"{name}.json"
        self.content: dict[str, Any] = {"benchmark": name, "protocol": protocol, "runs": {}}
        if self.path.exists():
            self.content["runs"] = json.loads(self.path.read_text())["runs"]

    @property
    def runs(self) -> dict[str, Any]:
        """Every run so far, by key."""
        runs: dict[str, Any] = self.content["runs"]
        return runs

    def run(self, key: str, work: Callable[[], Mapping[str, Any]], *, again: bool = False, **labels: Any) -> Any:
        """Do a piece of work unless its result is there already, and write it down at once.

        Args:
            key: name of the run within the benchmark.
            work: makes the figures.
            again: do it even if the result is there.
            labels: what else to keep with the run, such as its seed.
        """
        if key in self.runs and not again:
            return self.runs[key]
        begun = time.perf_counter()
        figures = dict(work())
        self.runs[key] = {
            **labels,
            **figures,
            "seconds": round(time.perf_counter() - begun, 2),
            "command": command(),
            "commit": commit(),
            "protocol": digest(self.content["protocol"]),
            "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "machine": machine(),
        }
        self.write()
        return self.runs[key]

    def told(self, report: Callable[[dict[str, Any]], str]) -> str:
        """The report of the runs so far, and which of them are to be taken with care."""
        return "\n\n".join(text for text in (report(self.runs), *remarks(self.content)) if text)

    def write(self) -> None:
        """Write the file whole: to a temporary name, then renamed."""
        self.path.parent.mkdir(exist_ok=True)
        if self.path.exists():
            self.content["runs"] = {**json.loads(self.path.read_text())["runs"], **self.runs}
        fresh = self.path.with_suffix(".json.part")
        fresh.write_text(json.dumps(self.content, indent=1, sort_keys=True, allow_nan=False) + "\n")
        fresh.replace(self.path)


def remarks(content: Mapping[str, Any]) -> list[str]:
    """In words: runs made with uncommitted changes, of an older protocol, or from before protocols were kept.

    Args:
        content: of a result file.
    """
    runs, now = content["runs"], digest(content["protocol"])
    marks = {
        "Made with uncommitted changes": [key for key, run in runs.items() if run["commit"].endswith("+changes")],
        "Made under an older protocol": [key for key, run in runs.items() if run.get("protocol", now) != now],
    }
    told = [f"{mark}: {_named(sorted(keys))}." for mark, keys in marks.items() if keys]
    silent = sum("protocol" not in run for run in runs.values())
    if silent:
        told.append(f"{silent} of {len(runs)} runs do not say which version of the protocol they were made under.")
    return [" ".join(told)] if told else []


def _named(keys: list[str], most: int = 8) -> str:
    """The keys, or the first ones and how many more there are."""
    rest = len(keys) - most
    return ", ".join(keys) if rest <= 0 else f"{', '.join(keys[:most])} and {rest} more"


def digest(protocol: str) -> str:
    """A protocol's text in twelve digits."""
    return hashlib.sha256(protocol.encode()).hexdigest()[:12]


def command() -> str:
    """The command that is running, without this machine's paths."""
    module = Path(sys.argv[0]).stem
    return " ".join(["python -m benchmarks." + module, *sys.argv[1:]])


def commit() -> str:
    """The commit that is checked out, with a mark if tracked files outside the results differ from it."""
    head = _git("rev-parse", "--short=12", "HEAD")
    changed = [line for line in _git("status", "--porcelain", "-uno").splitlines() if "benchmarks/results/" not in line]
    return head + ("+changes" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def machine() -> dict[str, Any]:
    """What the figures were made on."""
    import torch

    model = "unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
