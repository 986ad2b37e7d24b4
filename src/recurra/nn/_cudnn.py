"""Lays a layer's parameters side by side in CUDA memory, as cuDNN wants them; elsewhere does nothing."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.backends.cudnn import rnn as cudnn_rnn


def flatten_for_cudnn(
    weights: Sequence[object], mode: str, sizes: tuple[int, int, int, int], batch_first: bool, bidirectional: bool
) -> None:
    """Move the parameters of a whole layer into one piece of memory, in place.

    Args:
        weights: every parameter in the order of the state_dict.
        mode: "RNN_TANH", "RNN_RELU", "GRU" or "LSTM".
        sizes: input_size, hidden_size, proj_size, num_layers.
        batch_first: whether input is [B, T, I].
        bidirectional: whether there are two directions.
    """
    tensors = [w for w in weights if isinstance(w, Tensor)]
    if len(tensors) != len(weights) or not all(_suits_cudnn(w, tensors[0].dtype) for w in tensors):
        return
    if len({w.data_ptr() for w in tensors}) != len(tensors):
        return
    input_size, hidden_size, proj_size, num_layers = sizes
    per_layer = len(tensors) // (num_layers * (2 if bidirectional else 1))
    with torch.cuda.device_of(tensors[0]), torch.no_grad():
        if torch._use_cudnn_rnn_flatten_weight():
            torch._cudnn_rnn_flatten_weight(
                tensors,
                per_layer,
                input_size,
                cudnn_rnn.get_cudnn_mode(mode),
                hidden_size,
                proj_size,
                num_layers,
                batch_first,
                bidirectional,
            )


def _suits_cudnn(w: Tensor, dtype: torch.dtype) -> bool:
    return w.dtype == dtype and w.is_cuda and torch.backends.cudnn.is_acceptable(w)
