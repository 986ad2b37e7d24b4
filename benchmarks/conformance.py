"""How many checks that others wrote, or that hold the layers against others, there are, and how many pass.

python -m benchmarks.conformance [--again] [--report]

The suites are run by pytest one after the other; what they print at their end is what is counted, and a test that runs
many checks of others says how many and how each ended, as properties of pytest's report.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks._bars import not_run
from benchmarks._record import Record

ROOT = Path(__file__).parent.parent
SUITES = {
    "PyTorch's ModuleInfo inputs and error inputs": "tests/nn/test_moduleinfo.py",
    "onnxruntime as oracle, random weights": "tests/conformance/test_onnxruntime.py",
    "ONNX's node tests": "tests/conformance/test_onnx_nodes.py",
    "Keras 3's layers and their tests' numbers": "tests/conformance/test_keras.py",
    "TFLite's golden numbers": "tests/conformance/test_tflite.py",
    "random combinations of options (hypothesis)": "tests/nn/test_options.py",
    "scikit-learn's estimator checks, a test a cell": "tests/conformance/test_scikit_learn.py",
    "sktime's estimator checks, in one test": "tests/conformance/test_sktime.py",
}
PROTOCOL = (
    "Each suite is run whole by pytest, long tests included; counted are pytest's outcomes of its tests, and "
    "inside a test that runs many checks of others, the outcome of each check, as that test counted them."
)
CHECKS = "checks "
"""How the name of such a property begins; the rest is the outcome, and its value the number of checks."""
OUTCOME = re.compile(r"(\d+) (passed|failed|skipped|xfailed|xpassed|errors?)")


def run(place: str) -> dict[str, Any]:
    """One suite's outcomes, {"passed": n, ...}, and those of the checks inside its tests if it counts them.

    Raises:
        RuntimeError: if pytest could not run it.
    """
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "report.xml"
        marked = ["-m", "conformance or not conformance", f"--junitxml={written}", "-o", "junit_family=xunit1"]
        command = [sys.executable, "-m", "pytest", "-q", *marked, place]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        checks = counted(written) if written.exists() else {}
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    counts = {word: int(number) for number, word in OUTCOME.findall(last)}
    if done.returncode not in (0, 1) or not counts:
        raise RuntimeError(f"{place} could not be run: {done.stdout[-500:]}{done.stderr[-500:]}")
    return {"outcomes": counts, **({"checks": checks} if checks else {})}


def counted(written: Path) -> dict[str, int]:
    """What the tests of a suite counted themselves, by outcome, from pytest's report in XML."""
    counts: Counter[str] = Counter()
    for found in xml.etree.ElementTree.parse(written).iter("property"):
        name = found.get("name", "")
        if name.startswith(CHECKS):
            counts[name.removeprefix(CHECKS)] += int(found.get("value", "0"))
    return dict(counts)


def report(runs: Mapping[str, Any]) -> str:
    """A row a suite."""
    lines = ["| suite | where | tests passed | others | checks inside them |", "|---|---|---|---|---|"]
    for name, place in SUITES.items():
        if name not in runs:
            continue
        counts = dict(runs[name]["outcomes"])
        passed = counts.pop("passed", 0)
        others = ", ".join(f"{count} {word}" for word, count in counts.items()) or "none"
        checks = ", ".join(f"{count} {word}" for word, count in runs[name].get("checks", {}).items())
        lines.append(f"| {name} | `{place}` | {passed} | {others} | {checks} |")
    return "\n".join([*lines, *not_run(name for name in SUITES if name not in runs)])


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="run even what has a result")
    parser.add_argument("--report", action="store_true", help="only print the table of the results so far")
    options = parser.parse_args()
    record = Record("conformance", PROTOCOL)
    for name, place in () if options.report else SUITES.items():
        record.run(name, lambda place=place: run(place), again=options.again)
    print(record.told(report))


if __name__ == "__main__":
    main()
