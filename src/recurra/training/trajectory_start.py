"""What a trajectory network begins with, and how much of its correction is kept in the end."""

import numpy as np
import torch

from recurra.shapes import Tensor
from recurra.training.trajectory import TrackBatch, TrajectoryTask, lagged

GAINS = (0.0, 0.25, 0.5, 0.7, 0.85, 1.0)
RIDGE = 1e-4
MOST_ROWS = 60_000
LEAST_SPREAD = 1e-3


def fit_spread(task: TrajectoryTask) -> None:
    """Set the network's spread to the misses of what it corrects, along and across the heading at each step."""
    network = task.network
    total, count = torch.zeros(network.shape.horizon, 2), torch.zeros(network.shape.horizon)
    for batch in _last_fixes(task):
        error = batch.error.cpu().float() - _linear_part(task, batch)
        total += torch.where(batch.known[..., None], error, 0.0).square().sum(0)
        count += batch.known.sum(0)
    mean = (total / count.clamp_min(1.0)[:, None]).sqrt()
    network.spread.copy_(mean.clamp_min(LEAST_SPREAD).to(network.spread))


def fit_linear(task: TrajectoryTask) -> None:
    """Set the network's linear map by least squares with a ridge, and leave it out of the training.

    It maps the latest inputs to what constant velocity is off by at each step, summed up as displacements.
    """
    network = task.network
    assert network.linear is not None
    designs, errors, masks = [], [], []
    for batch in _last_fixes(task):
        designs.append(lagged(batch.x, *batch.origins, network.shape.lags).double())
        errors.append(batch.error.double())
        masks.append(batch.known)
    design, error, known = torch.cat(designs), torch.cat(errors), torch.cat(masks)
    middle, spread = design.mean(0), design.std(0)
    spread = torch.where(spread > 1e-9, spread, 1.0)
    standard = torch.cat([(design - middle) / spread, torch.ones(len(design), 1, dtype=torch.float64)], 1)
    reached = [_solve(standard[known[:, k]], error[known[:, k], k]) for k in range(network.shape.horizon)]
    steps = torch.diff(torch.stack(reached), dim=0, prepend=torch.zeros(1, *reached[0].shape, dtype=torch.float64))
    weight = steps[:, :-1] / spread[None, :, None]
    bias = steps[:, -1] - (middle[None, :, None] * weight).sum(1)
    with torch.no_grad():
        network.linear.weight.copy_(weight.transpose(1, 2).reshape(-1, design.shape[1]).to(network.linear.weight))
        network.linear.bias.copy_(bias.reshape(-1).to(network.linear.bias))
    network.linear.requires_grad_(False)


def choose_gain(task: TrajectoryTask) -> float:
    """Keep the share of the recurrent correction that serves best on the validation part.

    For points that is the share with the lowest mean error; for distributions, whose spreads were learned around the
    whole correction, the one with the lowest loss.
    """
    network = task.network
    network.eval()
    scores = []
    for gain in GAINS:
        network.gain.fill_(gain)
        scores.append(_mean_error(task) if network.shape.components == 0 else _loss(task))
    best = GAINS[int(np.argmin(scores))]
    network.gain.fill_(best)
    return best


@torch.no_grad()
def _loss(task: TrajectoryTask) -> float:
    return task.validation_loss()


@torch.no_grad()
def _mean_error(task: TrajectoryTask) -> float:
    total = count = 0.0
    for batch in task.held_batches():
        e = (task.output(batch).mean().cpu() - batch.error).square().sum(-1).sqrt()
        total += float(torch.where(batch.known, e, 0.0).sum())
        count += float(batch.known.sum())
    return total / max(count, 1.0)


def _solve(design: Tensor, target: Tensor) -> Tensor:
    """Coefficients [columns, 2] of a ridge regression whose last column is the constant, which is not shrunk."""
    penalty = RIDGE * max(len(design), 1) * torch.eye(design.shape[1], dtype=design.dtype)
    penalty[-1, -1] = 1e-9
    solved: Tensor = torch.linalg.solve(design.T @ design + penalty, design.T @ target)
    return solved


@torch.no_grad()
def _linear_part(task: TrajectoryTask, batch: TrackBatch) -> Tensor:
    """What the linear map says constant velocity is off by, [n, horizon, 2]; zeros without one."""
    network = task.network
    if network.linear is None:
        return torch.zeros(batch.error.shape)
    inputs = lagged(batch.x, *batch.origins, network.shape.lags).to(network.linear.weight)
    moved: Tensor = network.linear(inputs).unflatten(-1, (network.shape.horizon, 2))
    return moved.cumsum(1).cpu().float()


def _last_fixes(task: TrajectoryTask) -> "list[TrackBatch]":
    """The training windows, as they are, from their last fix; an even choice of them where there are very many."""
    windows = task.windows
    stride = -(-len(windows) // MOST_ROWS)
    batches = []
    for length in np.unique(windows.lengths):
        chosen = np.flatnonzero(windows.lengths == length)[::stride]
        rows = windows.rows[chosen][:, :length]
        at = np.array([length - 1])
        batch = task.training.batch(rows, np.full(len(rows), length), at, torch.float32)
        if len(batch.origins[0]):
            batches.append(batch)
    return batches
