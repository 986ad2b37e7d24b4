"""A model run by onnxruntime."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch


def session(model: Any) -> Callable[..., dict[str, torch.Tensor]]:
    """A model made ready, on one thread: called with arrays by name, it gives tensors by name."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    ready = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in ready.get_outputs()]

    def run(**given: np.ndarray | torch.Tensor) -> dict[str, torch.Tensor]:
        found = ready.run(names, {name: np.asarray(value) for name, value in given.items()})
        return {name: torch.from_numpy(np.array(value)) for name, value in zip(names, found, strict=True)}

    return run
