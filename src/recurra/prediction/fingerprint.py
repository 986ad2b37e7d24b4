"""A predictor's fingerprint: what a stream's snapshot is held against."""

import hashlib
import json
from collections.abc import Mapping

from recurra.shapes import Tensor


def fingerprint(config: Mapping[str, object], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over configuration and weights: two predictors with one fingerprint answer alike."""
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()
