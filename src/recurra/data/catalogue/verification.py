"""Holding a data set's files on this machine against their published checksums."""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from recurra.data.catalogue.entries import DataFile, DataSet

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Verification:
    """What lies on this machine of one data set.

    Attributes:
        name: the data set.
        folder: where it was looked for.
        ok: files that are as published, by path below the folder.
        missing: files that are not there.
        changed: files that are not as published, or cannot be read.
    """

    name: str
    folder: Path
    ok: tuple[str, ...]
    missing: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every file is there and as published."""
        return not self.missing and not self.changed

    def __str__(self) -> str:
        return (
            f"{self.name}: {len(self.ok)} ok, {len(self.missing)} missing, {len(self.changed)} changed in {self.folder}"
        )


def verify_in(entry: DataSet, data_folder: Path) -> Verification:
    """Every file of a data set held against its checksum.

    Args:
        entry: the data set.
        data_folder: the folder that holds all data sets; it is only read.
    """
    folder = data_folder / entry.folder
    found: dict[bool | None, list[str]] = {True: [], None: [], False: []}
    for file in entry.files:
        found[_as_published(entry, file, folder)].append(file.path)
    return Verification(entry.name, folder, tuple(found[True]), tuple(found[None]), tuple(found[False]))


def place_of(entry: DataSet, file: DataFile, folder: Path) -> Path:
    """Where a file lies: under its own name, or packed with ".gz" after it where the data set allows that."""
    plain = folder / file.path
    packed = plain.with_name(plain.name + ".gz")
    return packed if entry.packed and not plain.exists() and packed.exists() else plain


def _as_published(entry: DataSet, file: DataFile, folder: Path) -> bool | None:
    """True or False, or None where there is no file."""
    place = place_of(entry, file, folder)
    if not place.is_file():
        return None
    unpack = place.name != Path(file.path).name
    try:
        with cast("IO[bytes]", gzip.open(place) if unpack else place.open("rb")) as stream:
            return _sha256(stream) == file.sha256
    except (OSError, EOFError, zlib.error):
        return False


def _sha256(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := stream.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()
