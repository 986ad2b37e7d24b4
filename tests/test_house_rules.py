"""The house rules that no other tool holds: sizes, first lines, public names, private modules, quick starts."""

import ast
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "recurra"
OURS = ("src", "csrc", "tests", "benchmarks", "docs")
BUILT = {"__pycache__", "_build", "build", "vendor"}
LONGEST_FILE = 400


def files(*suffixes: str, folders: tuple[str, ...] = OURS) -> list[Path]:
    """Every source file of ours with one of these suffixes."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*")))
    return [path for path in found if path.suffix in suffixes and not BUILT & set(path.relative_to(ROOT).parts)]


def named(paths: list[Path]) -> list[object]:
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths]


MODULES = files(".py")
SOURCES = files(".py", folders=("src",))
ROOMS = [path for path in SOURCES if path.name == "__init__.py"]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def dotted(path: Path) -> str:
    """The import name of a source file: src/recurra/data/__init__.py -> recurra.data."""
    parts = path.relative_to(ROOT / "src").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", named(files(".py", ".cpp", ".hpp", ".h", ".js", ".css")))
def test_no_file_is_over_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", named(MODULES))
def test_every_module_says_first_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(parse(path))
    assert docstring, "the first statement must be a docstring"
    assert docstring.splitlines()[0].strip(), "its first line says what the module is for"


@pytest.mark.parametrize("path", named(SOURCES))
def test_there_is_no_drawer_for_odds_and_ends(path: Path) -> None:
    names = {part.removesuffix(".py").strip("_") for part in path.relative_to(PACKAGE).parts}
    assert not names & {"utils", "util", "common", "helpers", "helper", "misc"}


def bound_by_a_door(tree: ast.Module, room: str) -> set[str]:
    """Public names that a package's __init__ defines, or takes from a module of its own."""
    names: set[str] = set()
    for node in tree.body:
        match node:
            case ast.ImportFrom(module=module, level=level) if level or f"{module}.".startswith(f"{room}."):
                names |= {alias.asname or alias.name for alias in node.names}
            case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                names.add(node.name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("path", named(ROOMS))
def test_a_door_and_its_all_agree(path: Path) -> None:
    room = importlib.import_module(dotted(path))
    declared = set(getattr(room, "__all__", ()))
    missing = bound_by_a_door(parse(path), dotted(path)) - declared
    assert not missing, f"public in {dotted(path)}, not in its __all__: {sorted(missing)}"
    assert len(declared) == len(getattr(room, "__all__", ())), "a name stands twice in __all__"


@pytest.mark.parametrize("path", named(ROOMS))
def test_every_name_in_all_is_there(path: Path) -> None:
    room = importlib.import_module(dotted(path))
    absent = [name for name in getattr(room, "__all__", ()) if not hasattr(room, name)]
    assert not absent, f"in {dotted(path)}.__all__, but nowhere else: {absent}"


def imports(path: Path) -> Iterator[str]:
    """Every dotted name that a source file imports from Recurra, relative ones resolved."""
    package = dotted(path) if path.name == "__init__.py" else dotted(path).rpartition(".")[0]
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_module(name: str) -> bool:
    place = ROOT / "src" / Path(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


@pytest.mark.parametrize("path", named(SOURCES))
def test_private_modules_are_imported_from_their_own_folder_or_below(path: Path) -> None:
    for name in imports(path):
        parts = name.split(".")
        for at, part in enumerate(parts):
            private = part.startswith("_") and not part.startswith("__") and is_module(".".join(parts[: at + 1]))
            folder = ROOT / "src" / Path(*parts[:at])
            assert not private or path.is_relative_to(folder), f"{name} is private to {folder.relative_to(ROOT)}"


def quickest_s(command: list[str], bound_s: float, tries: int = 12) -> float:
    """The least wall time of a command over several tries; stops at the first one under the bound."""
    best_s = float("inf")
    for _ in range(tries):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        best_s = min(best_s, time.perf_counter() - start)
        if best_s < bound_s:
            break
    return best_s


def test_import_recurra_is_quick_and_brings_no_torch() -> None:
    code = "import sys, recurra; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert quickest_s([sys.executable, "-c", code], bound_s=0.3) < 0.3


def test_recurra_help_is_quick() -> None:
    command = [str(Path(sys.executable).with_name("recurra")), "--help"]
    assert quickest_s(command, bound_s=0.5) < 0.5


def test_the_version_is_the_same_everywhere() -> None:
    """pyproject.toml is the source; the package and the change log repeat it."""
    import recurra

    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{recurra.__version__}"' in project
    assert f"[{recurra.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_ci_script_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
