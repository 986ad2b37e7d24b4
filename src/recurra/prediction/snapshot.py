"""A stream's state as a few kilobytes of bytes: a JSON header with a checksum, and arrays; never code.

The first line is RECURRA STREAM, the second a JSON object (schema_version, model, sha256, ...), the
rest safetensors.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from recurra.errors import SnapshotError

MAGIC = b"RECURRA STREAM\n"
SNAPSHOT_VERSION = 1
LINEAGE = "lineage"


def pack_snapshot(fingerprint: str, header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """The bytes of a snapshot.

    Args:
        fingerprint: the model's.
        header: plain values.
        arrays: numeric arrays.
    """
    payload = safetensors.numpy.save({name: np.ascontiguousarray(value) for name, value in arrays.items()})
    head = {"schema_version": SNAPSHOT_VERSION, "model": fingerprint, **header}
    digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode() + payload).hexdigest()
    return MAGIC + json.dumps({**head, "sha256": digest}).encode() + b"\n" + payload


def unpack_snapshot(
    snapshot: bytes, fingerprint: str, lineage: str | None = None
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Header and arrays of a snapshot.

    Args:
        snapshot: the bytes.
        fingerprint: of the model.
        lineage: of the model, if a snapshot of the same lineage will do too; one that names none is of its own model's.

    Raises:
        SnapshotError: if the bytes are damaged, of an unknown schema version, or of another model.
    """
    if not snapshot.startswith(MAGIC):
        raise SnapshotError("these bytes are not a stream's snapshot")
    line, _, payload = snapshot[len(MAGIC) :].partition(b"\n")
    try:
        header = json.loads(line)
        version, model, digest = header["schema_version"], header["model"], header.pop("sha256")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SnapshotError("the snapshot's header is damaged; take a new snapshot") from error
    if version != SNAPSHOT_VERSION:
        raise SnapshotError(f"the snapshot has schema version {version!r}; this Recurra knows {SNAPSHOT_VERSION}")
    if hashlib.sha256(json.dumps(header, sort_keys=True).encode() + payload).hexdigest() != digest:
        raise SnapshotError("the snapshot's bytes have changed since it was taken; take a new one")
    if model != fingerprint and (lineage is None or header.get(LINEAGE, model) != lineage):
        raise SnapshotError("the snapshot was taken from another model; restore it with the model it came from")
    return header, safetensors.numpy.load(payload)
