"""Writing a folder so that it is there whole or not at all, whatever happens in between."""

import glob
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

ASIDE = ".old"


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a new folder beside `target`, make them durable, and put the folder in place.

    A folder that is already at `target` is renamed aside, and deleted only when the new one is in place. Whatever
    is interrupted, the old folder or the new one is whole: at `target`, or (a machine that stops
    between two renames) beside it under the name that `set_aside` finds.

    Args:
        target: where the folder goes; its parents are made.
        files: content by file name.

    Raises:
        OSError: what the operating system says; `target` is then as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(4)
    fresh = target.parent / f".{target.name}.{token}.partial"
    fresh.mkdir()
    try:
        for name, content in files.items():
            _write_file(fresh / name, content)
        _sync(fresh)
        _swap(fresh, target, target.parent / f".{target.name}.{token}{ASIDE}")
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    _sync(target.parent)


def set_aside(target: Path) -> Path | None:
    """The folder that an interrupted `write_folder` left beside `target`, if there is one."""
    left = sorted(target.parent.glob(f".{glob.escape(target.name)}.*{ASIDE}")) if target.parent.is_dir() else []
    return left[-1] if left else None


def _swap(fresh: Path, target: Path, aside: Path) -> None:
    if not target.exists():
        os.rename(fresh, target)  # noqa: PTH104  the tests break in here
        return
    os.rename(target, aside)  # noqa: PTH104
    try:
        os.rename(fresh, target)  # noqa: PTH104
    except BaseException:
        os.rename(aside, target)  # noqa: PTH104
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _write_file(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
