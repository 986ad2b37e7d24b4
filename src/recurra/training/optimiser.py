"""AdamW with decay on matrices only, and a step size that warms up and decays."""

import math

import torch
from torch import nn

from recurra.training.options import TrainingOptions


def build_optimiser(network: nn.Module, options: TrainingOptions) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019); biases and gains are not decayed."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    matrices = [p for p in parameters if p.dim() >= 2]
    vectors = [p for p in parameters if p.dim() < 2]
    groups = [
        {"params": matrices, "weight_decay": options.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=options.learning_rate)


def learning_rate_at(progress: float, options: TrainingOptions) -> float:
    """Step size when a share `progress` of the run is done: a linear rise, then half a cosine.

    Args:
        progress: between 0 and 1.
        options: learning_rate, warmup and final_rate.
    """
    if progress < options.warmup:
        return options.learning_rate * max(progress / options.warmup, 0.02)
    left = (progress - options.warmup) / (1.0 - options.warmup)
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(left, 1.0)))
    return options.learning_rate * (options.final_rate + (1.0 - options.final_rate) * cosine)
