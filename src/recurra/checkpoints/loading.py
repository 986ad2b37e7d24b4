"""Load a model folder: every byte is verified before any of it is parsed."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from recurra.checkpoints import _json
from recurra.checkpoints._folder import set_aside
from recurra.checkpoints._manifest import (
    CARD,
    CONFIG,
    LARGEST_MANIFEST,
    LISTED,
    MANIFEST,
    TENSORS,
    Entry,
    parse_manifest,
)
from recurra.errors import CheckpointError, DamagedModelError


@dataclass(frozen=True)
class Checkpoint:
    """A model as it was saved, every byte of it verified.

    Attributes:
        config: what the model is; plain JSON values, so tuples have become lists.
        tensors: its tensors by name, on the CPU, with the dtypes and shapes they were saved with.
        model_hash: SHA-256 over the hashes of its files.
        schema_version: the version of the folder's layout.
        card: the model card, in Markdown.
    """

    config: dict[str, Any]
    tensors: dict[str, Tensor]
    model_hash: str
    schema_version: int
    card: str


def load_checkpoint(folder: str | os.PathLike[str]) -> Checkpoint:
    """Read a model folder that `save_checkpoint` wrote.

    Args:
        folder: the model folder; it may be a link to one, the files inside may not be links.

    Returns:
        Its content.

    Raises:
        CheckpointError: there is no such folder.
        DamagedModelError: a file is missing, changed, of the wrong size, a link, or not what the manifest says.
        SchemaVersionError: the folder was written in a layout that is not known here.
    """
    place = Path(folder)
    shown = os.fspath(folder)
    _check_folder(place, shown)
    manifest = parse_manifest(_read(place, MANIFEST, shown, LARGEST_MANIFEST), shown)
    content = {name: _verified(place, name, manifest.files[name], shown) for name in LISTED}
    try:
        config = _json.parse(content[CONFIG])
        tensors = safetensors.torch.load(content[TENSORS])
        card = content[CARD].decode()
    except (ValueError, SafetensorError) as error:
        raise DamagedModelError(f"{shown}: the files are whole but cannot be read ({error}); save it anew") from error
    if not isinstance(config, dict):
        raise DamagedModelError(f"{shown}: {CONFIG} is not a JSON object; save the model anew")
    return Checkpoint(config, tensors, manifest.model_hash, manifest.schema_version, card)


def _check_folder(place: Path, shown: str) -> None:
    if place.is_dir():
        return
    if place.exists():
        raise CheckpointError(f"{shown} is not a folder; a Recurra model is a folder with a {MANIFEST} in it")
    left = set_aside(place.absolute())
    hint = f"; an interrupted save left the model at {left}: rename it" if left else "; check the path"
    raise CheckpointError(f"there is no model folder at {shown}{hint}")


def _verified(place: Path, name: str, entry: Entry, shown: str) -> bytes:
    content = _read(place, name, shown, entry.size)
    found = Entry.of(content)
    if found.size != entry.size:
        raise DamagedModelError(
            f"{shown}: {name} has the wrong size, {(place / name).stat().st_size} bytes where the manifest says "
            f"{entry.size}; take the model from its source again or save it anew"
        )
    if found.sha256 != entry.sha256:
        raise DamagedModelError(
            f"{shown}: {name} was changed after the model was saved (its SHA-256 is not the manifest's); "
            "take the model from its source again or save it anew"
        )
    return content


def _read(place: Path, name: str, shown: str, at_most: int) -> bytes:
    """The content of a plain file, and one byte more than `at_most` if it is longer than that."""
    try:
        handle = os.open(place / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise DamagedModelError(f"{shown}: {name} is missing; it is not a Recurra model, or damaged") from None
    except OSError as error:
        reason = "it is a link" if (place / name).is_symlink() else error.strerror
        raise DamagedModelError(f"{shown}: {name} cannot be read: {reason}; put the plain file there") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise DamagedModelError(f"{shown}: {name} is not a plain file; put the plain file there")
    with os.fdopen(handle, "rb") as file:
        return file.read(at_most + 1)
