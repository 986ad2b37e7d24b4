"""Write docs/benchmarks.md and the score table of README.md from the benchmarks' result files.

python -m docs.write_tables [--check]
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import (
    _cta_report,
    _eth_ucy_report,
    _etth1_report,
    _layers_report,
    _market_report,
    an4,
    cmudict,
    conformance,
    fsdd,
    fsdd_connected,
    hurricanes,
    live,
    m4_weekly,
    multi30k,
    rivals,
    sines,
    small_tables,
    track_stream,
    transforms,
    translation_latency,
)
from benchmarks._record import remarks

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- scores: written by docs/write_tables.py -->", "<!-- end of scores -->"
PARTS = {
    "cta": ("CTA ridership", _cta_report.report),
    "sines": ("Synthetic sines", sines.report),
    "small_tables": ("Small tables, default settings", small_tables.report),
    "m4_weekly": ("M4 Weekly", m4_weekly.report),
    "rivals": ("Beside NeuralForecast", rivals.report),
    "etth1": ("ETTh1", _etth1_report.report),
    "eth_ucy": ("Pedestrians: ETH/UCY", _eth_ucy_report.report),
    "hurricanes": ("Atlantic hurricanes", hurricanes.report),
    "track_stream": ("A stream of tracks", track_stream.report),
    "multi30k": ("Translation: Multi30k", multi30k.report),
    "translation_latency": ("Translation: how long it takes", translation_latency.report),
    "cmudict": ("Grapheme to phoneme: CMUdict", cmudict.report),
    "fsdd": ("Spoken digits", fsdd.report),
    "fsdd_connected": ("Strings of digits", fsdd_connected.report),
    "an4": ("AN4", an4.report),
    "live": ("Live recognition", live.report),
    "market": ("The S&P 500, walked forward", _market_report.report),
    "layers": ("The recurrent layers on the CPU", _layers_report.report),
    "transforms": ("PyTorch's transforms of the layers", transforms.report),
    "conformance": ("Conformance of the layers", conformance.report),
}


def results(name: str) -> dict[str, Any] | None:
    """A benchmark's result file, None if it has no run."""
    path = ROOT / "benchmarks" / "results" / f"{name}.json"
    content = json.loads(path.read_text()) if path.exists() else None
    return content if content is not None and content["runs"] else None


def provenance(content: dict[str, Any]) -> str:
    """Commits, time and machine of the runs, in a line."""
    runs = list(content["runs"].values())
    commits = ", ".join(sorted({run["commit"] for run in runs}))
    seconds = sum(run["seconds"] for run in runs)
    machines = sorted({f"{run['machine']['cpu']}, {run['machine']['threads']} thread(s) a run" for run in runs})
    torch = ", ".join(sorted({run["machine"]["torch"] for run in runs}))
    return (
        f"{len(runs)} runs, {seconds / 60:.0f} minutes in all, on {'; '.join(machines)}; torch {torch}; "
        f"commits {commits}; last {max(run['at'] for run in runs)}."
    )


def page() -> str:
    """docs/benchmarks.md."""
    blocks = [
        "# Benchmarks",
        "Every figure here comes from a command of this repository and is written into this page from its result file "
        "by `python -m docs.write_tables`.",
    ]
    for name, (title, report) in PARTS.items():
        content = results(name)
        blocks += [f"## {title}", f"`python -m benchmarks.{name}`"]
        if content is None:
            blocks.append("Not run.")
        else:
            blocks += [content["protocol"], report(content["runs"]).strip(), *remarks(content), provenance(content)]
    return "\n\n".join(blocks) + "\n"


def readme() -> str:
    """README.md with the one-step tables of the CTA benchmark."""
    text = (ROOT / "README.md").read_text()
    content = results("cta")
    if content is None:
        return text
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    table = _cta_report.table("cov-1", content["runs"])
    return f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}"


def main() -> int:
    """Write both files, or with --check tell whether they are up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = 0
    for path, text in ((ROOT / "docs" / "benchmarks.md", page()), (ROOT / "README.md", readme())):
        if check:
            if not path.exists() or path.read_text() != text:
                print(f"{path.name} is not what the result files say; run python -m docs.write_tables", file=sys.stderr)
                stale = 1
        else:
            path.write_text(text)
    return stale


if __name__ == "__main__":
    sys.exit(main())
