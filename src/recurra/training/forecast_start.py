"""What a forecasting network begins with: the rule that it corrects, and how far that was off at each step ahead."""

import math
from collections.abc import Mapping

import numpy as np
import torch

from recurra.data.preparation.reference import Array
from recurra.models.forecast import DirectHead, QuantileOutput
from recurra.models.forecast.heads import inverse_softplus
from recurra.training.forecast import ForecastTask

MOST_ROWS = 20_000
FEWEST = 40
"""Errors of a step ahead from which its quantiles are taken."""
FEWEST_STRETCHES = 3


def begin_with_errors(task: ForecastTask) -> dict[str, torch.Tensor]:
    """Let the first quantiles of a direct network lie around the rule as the targets of the training rows do.

    The middle one stays the rule itself. Each further one lies as far outwards as the same quantile of the rule's
    errors at that step, in units of its error one step ahead; a fresh network would take all steps for the first one.
    Steps of which too little is known keep what they have, and so do other networks.

    Returns:
        A copy of the weights that the training begins with.
    """
    network = task.network
    head, output = getattr(network, "head", None), network.output
    if isinstance(head, DirectHead) and isinstance(output, QuantileOutput) and len(output.levels) > 1:
        _set_spreads(task, head, output)
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _set_spreads(task: ForecastTask, head: DirectHead, output: QuantileOutput) -> None:
    errors = task.rule_errors(MOST_ROWS)
    bias = head.state.bias.detach().clone().reshape(head.horizon, -1)
    for k, error in enumerate(errors.T):
        known = error[np.isfinite(error)]
        if len(known) >= FEWEST:
            bias[k] = torch.as_tensor(_numbers(known, output), dtype=bias.dtype)
    with torch.no_grad():
        head.state.bias.copy_(bias.reshape(-1))


def keep_what_shows(task: ForecastTask, start: Mapping[str, torch.Tensor], horizon: int) -> str | None:
    """Put the starting weights back where the validation part does not show that the trained ones are better.

    They are better if they gain more than one standard error there. The units of the error are stretches of one horizon
    of one series; with fewer than FEWEST_STRETCHES of them any gain will do.

    Args:
        task: its network holds the trained weights.
        start: the weights that the training began with.
        horizon: steps that are forecast, however many the network says at once.

    Returns:
        What was found, in words, if the starting weights are back.

    Source: the rule of one standard error, Breiman et al. 1984.
    """
    network = task.network
    trained = {name: value.detach().clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        after = task.validation_blocks(horizon)
        network.load_state_dict(dict(start))
        gains = task.validation_blocks(horizon) - after
    gain, error = mean_gain(gains)
    if len(gains) and np.isfinite(gains).all() and not gain > error:
        return f"the rule itself: what the network gained on the validation part, {gain:.4f} +- {error:.4f}, is noise"
    network.load_state_dict(trained)
    return None


def mean_gain(gains: Array) -> tuple[float, float]:
    """The mean over the stretches of a validation part, and its standard error; of a few nothing but the mean counts.

    Args:
        gains: what one network loses less than another, [stretches]; see `ForecastTask.validation_blocks`.
    """
    if len(gains) < FEWEST_STRETCHES:
        return float(gains.mean()) if len(gains) else 0.0, 0.0
    return float(gains.mean()), float(gains.std(ddof=1)) / math.sqrt(len(gains))


def _numbers(errors: Array, output: QuantileOutput) -> list[float]:
    """The network's numbers whose quantiles are those of these errors, moved so that the middle one is 0."""
    found = np.quantile(errors, output.levels)
    apart = np.append(np.diff(found[: output.middle + 1]), np.diff(found[output.middle :]))
    numbers = [inverse_softplus(distance) for distance in apart]
    numbers.insert(output.middle, 0.0)
    return numbers
