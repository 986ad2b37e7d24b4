"""From the numbers of a decoder to paths and mixtures of normal distributions around them, and their likelihood."""

from math import log, pi
from typing import NamedTuple

import torch

from recurra.shapes import Bool, Float, Tensor

LOG_2PI = log(2.0 * pi)
WIDEST = 4.0
"""Spreads stay within e^±4 of those of constant velocity."""


class PathOutput(NamedTuple):
    """Corrections of constant velocity, in usual steps along the heading; K = 1 for points.

    Attributes:
        log_weights: logarithms of the weights of the components, [n, K].
        means: how far constant velocity is off, [n, horizon, K, 2].
        factors: a, b, c of the factor A = [[a, 0], [b, c]] of the covariance A A', [n, horizon, K, 3]; None for points.
    """

    log_weights: Float[Tensor, "n component"]
    means: Float[Tensor, "n horizon component 2"]
    factors: Float[Tensor, "n horizon component 3"] | None

    def mean(self) -> Float[Tensor, "n horizon 2"]:
        """The middle path: the mean of the components by their weights."""
        return (self.log_weights.exp()[:, None, :, None] * self.means).sum(2)


def read_output(
    raw: Float[Tensor, "n horizon component number"],
    logits: Float[Tensor, "n component"],
    spread: Float[Tensor, "horizon 2"],
) -> PathOutput:
    """Means from displacements summed up over the steps, and factors around the spread of constant velocity.

    mean(k) = Σ_{j<=k} raw_j;  a = s_1 e^{r_3}, c = s_2 e^{r_4}, b = s_2 r_5;  zeros give constant velocity.

    Args:
        raw: two numbers a step for points, five for distributions.
        logits: of the weights.
        spread: s, of constant velocity along and across the heading at each step.
    """
    means = raw[..., :2].cumsum(1)
    log_weights = torch.log_softmax(logits, -1)
    if raw.shape[-1] == 2:
        return PathOutput(log_weights, means, None)
    along, across = spread[:, None, 0], spread[:, None, 1]
    a = along * _bounded(raw[..., 2]).exp()
    c = across * _bounded(raw[..., 3]).exp()
    return PathOutput(log_weights, means, torch.stack([a, across * raw[..., 4], c], -1))


def _bounded(raw: Tensor) -> Tensor:
    return WIDEST * torch.tanh(raw / WIDEST)


def log_densities(
    output: PathOutput, error: Float[Tensor, "n horizon 2"]
) -> tuple[Float[Tensor, "n horizon component 2"], Float[Tensor, "n horizon component"]]:
    """Standardised errors z = A^-1 (error - mean), and log N of each step under each component."""
    assert output.factors is not None
    a, b, c = output.factors.unbind(-1)
    d = error[:, :, None] - output.means
    first = d[..., 0] / a
    second = (d[..., 1] - b * first) / c
    z = torch.stack([first, second], -1)
    return z, -LOG_2PI - torch.log(a * c) - 0.5 * z.square().sum(-1)


def step_log_likelihood(
    output: PathOutput, error: Float[Tensor, "n horizon 2"], known: Bool[Tensor, "n horizon"]
) -> Float[Tensor, ""]:
    """Mean over known steps of the log density of each position by itself: log Σ_k π_k N_k(t)."""
    _, each = log_densities(output, error)
    marginal = torch.logsumexp(output.log_weights[:, None] + each, -1)
    return torch.where(known, marginal, 0.0).sum() / known.sum().clamp_min(1)


def joint_log_likelihood(
    output: PathOutput,
    error: Float[Tensor, "n horizon 2"],
    known: Bool[Tensor, "n horizon"],
    correlation: Float[Tensor, ""],
) -> Float[Tensor, ""]:
    """Mean, by known step, of the log density of whole paths under one component each.

    Within a component standardised errors follow z(t) = ρ z(t-1) + sqrt(1 - ρ²) ε(t), with normal z at every step, so
    that the distribution of each single position is that of `step_log_likelihood`:

        log Σ_k π_k Π_t N(z_k(t) | ρ z_k(t-1), 1 - ρ²) / |A_k(t)|

    Args:
        output: of the decoder.
        error: of constant velocity, in usual steps along the heading.
        known: which positions are known; one that follows an unknown one begins anew.
        correlation: ρ, between -1 and 1.
    """
    z, each = log_densities(output, error)
    rest = 1.0 - correlation.square()
    before = torch.nn.functional.pad(z, (0, 0, 0, 0, 1, 0))[:, :-1]
    follows = torch.nn.functional.pad(known, (1, 0))[:, :-1] & known
    conditional = ((z - correlation * before).square() / rest + torch.log(rest)).sum(-1)
    bound = each + 0.5 * z.square().sum(-1) - 0.5 * conditional
    by_step = torch.where(follows[..., None], bound, each)
    total = torch.where(known[..., None], by_step, 0.0).sum(1)
    return torch.logsumexp(output.log_weights + total, -1).sum() / known.sum().clamp_min(1)


def distance_loss(
    output: PathOutput, error: Float[Tensor, "n horizon 2"], known: Bool[Tensor, "n horizon"], softness: float = 0.01
) -> Float[Tensor, ""]:
    """Mean distance of the middle path from the actual one over known steps, sqrt(|e|² + softness²) - softness."""
    e = output.mean() - torch.where(known[..., None], error, 0.0)
    distance = (e.square().sum(-1) + softness**2).sqrt() - softness
    return torch.where(known, distance, 0.0).sum() / known.sum().clamp_min(1)
