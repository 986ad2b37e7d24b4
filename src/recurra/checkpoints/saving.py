"""Save a model as a folder, atomically."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from torch import Tensor

from recurra.checkpoints import _json
from recurra.checkpoints._folder import write_folder
from recurra.checkpoints._manifest import CARD, CONFIG, LISTED, MANIFEST, TENSORS, Entry, Manifest
from recurra.errors import OutputFolderError


def save_checkpoint(
    folder: str | os.PathLike[str],
    *,
    config: Mapping[str, object],
    tensors: Mapping[str, Tensor],
    card: str,
    overwrite: bool = False,
) -> str:
    """Write a model folder: whole, durable and in place, or not at all.

    Args:
        folder: where it goes; parents are made.
        config: what the model is, as plain JSON values; tuples come back as lists.
        tensors: its tensors by name, any dtype and shape; views and shared storage are copied.
        card: the model card, in Markdown.
        overwrite: replace a model that is already there. Anything else that is there is never replaced.

    Returns:
        The model hash: SHA-256 over the hashes of the files.

    Raises:
        ConfigError: config holds something other than finite, plain JSON values.
        OutputFolderError: the folder is taken, or cannot be written; nothing has changed then.
    """
    content = {
        CARD: card.encode(),
        CONFIG: _json.dump(_json.plain(config)),
        TENSORS: safetensors.torch.save({name: _own_copy(tensor) for name, tensor in tensors.items()}),
    }
    manifest = Manifest({name: Entry.of(content[name]) for name in LISTED})
    check_output_folder(folder, overwrite=overwrite)
    try:
        write_folder(Path(folder).resolve(), {**content, MANIFEST: manifest.to_bytes()})
    except OSError as error:
        raise OutputFolderError(_cannot_write(folder, error.strerror or str(error))) from error
    return manifest.model_hash


def check_output_folder(folder: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Refuse a folder that `save_checkpoint` would refuse; worth asking before a long training.

    Args:
        folder: where a model is to go.
        overwrite: whether a model that is already there may be replaced.

    Raises:
        OutputFolderError: the folder holds something, is no folder, or cannot be written.
    """
    target = Path(folder).resolve()
    try:
        entries = sorted(entry.name for entry in target.iterdir()) if target.exists() else []
    except NotADirectoryError:
        raise OutputFolderError(f"{folder} is a file, not a folder; choose another name") from None
    except OSError as error:
        raise OutputFolderError(_cannot_write(folder, error.strerror or str(error))) from error
    foreign = [name for name in entries if name not in (*LISTED, MANIFEST)]
    if foreign:
        raise OutputFolderError(
            f"{folder} holds files that are not part of a model ({', '.join(foreign[:3])}"
            f"{', ...' if len(foreign) > 3 else ''}) and is left alone; choose another folder or move them away"
        )
    if entries and not overwrite:
        raise OutputFolderError(
            f"{folder} already holds a model; choose another folder, or overwrite it "
            "(overwrite=True, on the command line --overwrite)"
        )
    nearest = next(parent for parent in target.parents if parent.exists())
    if not nearest.is_dir():
        raise OutputFolderError(_cannot_write(folder, f"{nearest} is a file"))
    try:
        with tempfile.TemporaryDirectory(prefix=".recurra-", dir=nearest):
            pass
    except OSError as error:
        raise OutputFolderError(_cannot_write(folder, f"{nearest}: {error.strerror or error}")) from error


def _own_copy(tensor: Tensor) -> Tensor:
    """The tensor in memory of its own: safetensors takes no views and no shared storage."""
    return tensor.detach().cpu().clone().contiguous()


def _cannot_write(folder: str | os.PathLike[str], reason: str) -> str:
    return f"cannot write {os.fspath(folder)}: {reason}; choose another folder or mend its permissions"
