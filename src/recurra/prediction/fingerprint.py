"""A model's fingerprint: two predictors with the same one answer alike."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from recurra.shapes import Tensor


def fingerprint(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over configuration and weights, in hexadecimal."""
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()
