"""Likelihoods against torch's distributions, and the joint one against the joint covariance it stands for."""

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from recurra.models.trajectory import (
    PathOutput,
    distance_loss,
    joint_log_likelihood,
    read_output,
    step_log_likelihood,
)


def output(n: int = 3, horizon: int = 4, components: int = 2) -> PathOutput:
    torch.manual_seed(1)
    raw = torch.randn(n, horizon, components, 5, dtype=torch.float64) * 0.5
    spread = torch.rand(horizon, 2, dtype=torch.float64) + 0.5
    return read_output(raw, torch.randn(n, components, dtype=torch.float64), spread)


def tril(factors: torch.Tensor) -> torch.Tensor:
    a, b, c = factors.unbind(-1)
    return torch.stack([torch.stack([a, torch.zeros_like(a)], -1), torch.stack([b, c], -1)], -2)


def test_single_positions_have_the_density_of_torchs_mixture() -> None:
    """Expected: torch.distributions, a mixture of multivariate normal distributions at each step."""
    out = output()
    error = torch.randn(3, 4, 2, dtype=torch.float64)
    known = torch.tensor([[True, True, False, True]] * 3)
    assert out.factors is not None
    mixture = MixtureSameFamily(
        Categorical(out.log_weights.exp()[:, None].expand(3, 4, 2)),
        MultivariateNormal(out.means, scale_tril=tril(out.factors)),
    )
    expected = mixture.log_prob(error)[known].mean()
    assert float(step_log_likelihood(out, error, known)) == pytest.approx(float(expected))


def test_whole_paths_have_the_density_of_their_joint_normal_distribution() -> None:
    """Expected: one normal distribution over all steps, with covariance ρ^|i-j| A_i A_j' between steps i and j."""
    out = output()
    assert out.factors is not None
    error, rho = torch.randn(3, 4, 2, dtype=torch.float64), 0.7
    decay = torch.tensor(rho ** np.abs(np.subtract.outer(np.arange(4), np.arange(4))))
    a = tril(out.factors)
    parts = []
    for k in range(2):
        blocks = torch.einsum("ntij,nsmj,ts->ntism", a[:, :, k], a[:, :, k], decay)
        joint = MultivariateNormal(out.means[:, :, k].flatten(1), covariance_matrix=blocks.reshape(3, 8, 8))
        parts.append(out.log_weights[:, k] + joint.log_prob(error.flatten(1)))
    expected = torch.logsumexp(torch.stack(parts), 0).sum() / 12
    known = torch.ones(3, 4, dtype=torch.bool)
    found = joint_log_likelihood(out, error, known, torch.tensor(rho, dtype=torch.float64))
    assert float(found) == pytest.approx(float(expected))


def test_a_path_begins_anew_after_an_unknown_position_and_unknown_ones_do_not_count() -> None:
    """Without correlation the joint likelihood is that of independent steps; NaN is hidden behind the mask."""
    out = output(components=1)
    error = torch.randn(3, 4, 2, dtype=torch.float64)
    known = torch.tensor([[True, False, True, True]] * 3)
    zero = torch.zeros((), dtype=torch.float64)
    assert float(joint_log_likelihood(out, error, known, zero)) == pytest.approx(
        float(step_log_likelihood(out, error, known))
    )
    moved = error.clone()
    moved[:, 1] += 100.0
    assert float(joint_log_likelihood(out, moved, known, zero + 0.5)) == pytest.approx(
        float(joint_log_likelihood(out, error, known, zero + 0.5))
    )


def test_the_distance_is_that_of_the_middle_path() -> None:
    out = PathOutput(torch.zeros(1, 1), torch.tensor([[[[3.0, 4.0]], [[0.0, 0.0]]]]), None)
    known = torch.tensor([[True, False]])
    assert float(distance_loss(out, torch.zeros(1, 2, 2), known, 1e-6)) == pytest.approx(5.0, abs=1e-4)
