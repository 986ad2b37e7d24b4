"""recurra doctor: what this installation has, and what it lacks."""

import os
import platform
import re
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from recurra import __version__
from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import print_json
from recurra.data.catalogue import ENVIRONMENT, data_folder

CORE = ("torch", "numpy", "narwhals", "safetensors", "pydantic", "cyclopts", "rich", "pooch", "jaxtyping")
FRAMES = ("pandas", "polars", "pyarrow")


def doctor(*, common: Common = NO_FLAGS) -> None:
    """Say what this installation has, and what it lacks."""
    found = findings()
    if common.json:
        print_json(found)
        return
    for heading, facts in found.items():
        print(heading)
        for name, fact in facts.items():
            print(f"  {name:<16} {_words(fact)}")


def findings() -> dict[str, dict[str, object]]:
    """Facts about this installation, by heading."""
    return {
        "recurra": {"version": __version__, "python": platform.python_version(), "platform": platform.platform()},
        "packages": {name: installed(name) for name in CORE},
        "tables": {name: installed(name) for name in FRAMES},
        "extras": {name: all(installed(package) for package in packages) for name, packages in extras().items()},
        "computing": _computing(),
        "backends": _backends(),
        "data": _data(),
    }


def installed(package: str) -> str | None:
    """The version of a package, None if it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def extras() -> Mapping[str, list[str]]:
    """Packages of each optional extra of this installation, as its own metadata names them."""
    named: dict[str, list[str]] = {}
    for requirement in requires("recurra") or ():
        package, _, marker = requirement.partition(";")
        extra = re.search(r"extra == ['\"](\w+)['\"]", marker)
        name = re.match(r"[\w.-]+", package)
        if extra and name and name[0] != "recurra" and extra[1] != "dev":
            named.setdefault(extra[1], []).append(name[0])
    return named


def _computing() -> dict[str, object]:
    import torch

    cuda = torch.version.cuda if torch.cuda.is_available() else None
    return {
        "torch_build": f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU only",
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "onednn": torch.backends.mkldnn.is_available(),
    }


def _backends() -> dict[str, object]:
    from recurra.kernels import machine, native_is_built

    built = native_is_built()
    return {
        "native": built,
        "torch": True,
        "reference": True,
        "auto_takes": "native" if built else "torch",
        "instruction_set": machine.instruction_set() if built else None,
        "built_with": machine.built_with() if built else None,
        "remedy": None if built else "install again with a C++17 compiler at hand (docs/building.md)",
    }


def _data() -> dict[str, object]:
    folder = data_folder()
    return {
        ENVIRONMENT: os.environ.get(ENVIRONMENT),
        "folder": str(folder),
        "is_there": folder.is_dir(),
        "writable": _writable(folder),
    }


def _writable(folder: Path) -> bool:
    """Whether a file can be made in this folder, or in the nearest one above it that exists."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            return True
    except OSError:
        return False


def _words(fact: object) -> str:
    match fact:
        case True:
            return "yes"
        case False:
            return "no"
        case None:
            return "-"
    return str(fact)
