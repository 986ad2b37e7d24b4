"""The manifest of a model folder: which files it has, how large they are, and what they hash to."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from recurra.checkpoints import _json
from recurra.errors import DamagedModelError, SchemaVersionError

SCHEMA_VERSION = 1
"""The version of the folder's layout that is written; every version from 1 to this one can be read."""

CONFIG, TENSORS, CARD, MANIFEST = "config.json", "model.safetensors", "README.md", "manifest.json"
LISTED = (CARD, CONFIG, TENSORS)
LARGEST_MANIFEST = 1 << 16


@dataclass(frozen=True)
class Entry:
    """One file of a model folder: its size in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> "Entry":
        """The entry that describes this content."""
        return cls(len(content), hashlib.sha256(content).hexdigest())

    @property
    def is_sound(self) -> bool:
        """Whether size and hash are of the types they should be; what was read from a file may be anything."""
        return type(self.size) is int and self.size >= 0 and type(self.sha256) is str


@dataclass(frozen=True)
class Manifest:
    """What a model folder must hold, byte for byte."""

    files: Mapping[str, Entry]
    schema_version: int = SCHEMA_VERSION

    @property
    def model_hash(self) -> str:
        """SHA-256 over the lines `sha256  name` of every file, sorted by name: one name for the whole model."""
        lines = "".join(f"{self.files[name].sha256}  {name}\n" for name in sorted(self.files))
        return hashlib.sha256(lines.encode()).hexdigest()

    def to_bytes(self) -> bytes:
        """The one way in which this manifest is written."""
        files: dict[str, _json.Json] = {name: vars(entry) for name, entry in self.files.items()}
        return _json.dump({"files": files, "model_hash": self.model_hash, "schema_version": self.schema_version})


def parse_manifest(content: bytes, folder: str) -> Manifest:
    """Read a manifest that nobody vouches for.

    Args:
        content: the bytes of manifest.json.
        folder: the model folder's name, for error messages.

    Raises:
        SchemaVersionError: a layout that is not known here.
        DamagedModelError: anything but exactly what `Manifest.to_bytes` writes.
    """
    try:
        value = _json.parse(content)
    except ValueError as error:
        raise DamagedModelError(f"{folder}: {MANIFEST} is not valid JSON ({error}); save the model anew") from None
    if not isinstance(value, dict):
        raise DamagedModelError(f"{folder}: {MANIFEST} is not a JSON object; save the model anew")
    version = _known_version(value.get("schema_version"), folder)
    _check_names(value.get("files"), folder)
    try:
        files = {name: Entry(entry["size"], entry["sha256"]) for name, entry in value["files"].items()}
        found = Manifest(files, version)
        matches = all(entry.is_sound for entry in files.values()) and found.to_bytes() == content
    except (KeyError, TypeError):
        matches = False
    if not matches:
        raise DamagedModelError(
            f"{folder}: {MANIFEST} was changed after the model was saved (its content and its model hash disagree); "
            "take the model from its source again or save it anew"
        )
    return found


def _known_version(version: object, folder: str) -> int:
    if type(version) is not int:
        raise SchemaVersionError(f"{folder}: {MANIFEST} has no schema_version; it is not a Recurra model, or damaged")
    if version > SCHEMA_VERSION:
        raise SchemaVersionError(
            f"{folder}: schema version {version} was written by a newer Recurra, this one reads up to "
            f"{SCHEMA_VERSION}; upgrade with pip install --upgrade recurra"
        )
    if version < 1:
        raise SchemaVersionError(f"{folder}: schema version {version} never existed; {MANIFEST} is damaged")
    return version


def _check_names(files: object, folder: str) -> None:
    if not isinstance(files, dict):
        raise DamagedModelError(f"{folder}: {MANIFEST} lists no files; save the model anew")
    for name in files:
        if name not in LISTED:
            raise DamagedModelError(f"{folder}: {MANIFEST} lists {name!r}, which is no file of a Recurra model")
    for name in LISTED:
        if name not in files:
            raise DamagedModelError(f"{folder}: {MANIFEST} does not list {name}; save the model anew")
