"""Scores of paths against counts by hand and against torch's distributions."""

import numpy as np
import pytest
import torch

from recurra.errors import ConfigError, ShapeError
from recurra.metrics import (
    ade,
    distances,
    error_by_step,
    fde,
    min_ade_per_person,
    min_ade_per_scene,
    min_fde_per_person,
    min_fde_per_scene,
    miss_rate,
    mixture_log_density,
    nll,
    region_coverage,
)

NAN = float("nan")


def test_errors_are_averaged_over_steps_and_then_over_persons() -> None:
    """By hand; a person whose steps are not known takes no part, nor does an unknown last step in the FDE."""
    errors = [[1.0, 3.0], [2.0, NAN], [NAN, NAN]]
    assert ade(errors) == 2.0
    assert fde(errors) == 3.0
    assert error_by_step(errors).tolist() == [1.5, 3.0]
    assert np.isnan(ade([[NAN]]))


def test_the_best_of_k_is_each_persons_own_or_that_of_the_whole_scene() -> None:
    """By hand: two persons of one moment want different futures; together 0 costs 0 + 4, 1 costs 3 + 0.5."""
    errors = np.array([[[0.0], [3.0]], [[4.0], [0.5]], [[1.0], [2.0]]])
    moment = [7, 7, 9]
    assert min_ade_per_person(errors) == pytest.approx((0.0 + 0.5 + 1.0) / 3)
    assert min_fde_per_person(errors) == pytest.approx((0.0 + 0.5 + 1.0) / 3)
    assert min_ade_per_scene(errors, moment) == pytest.approx((3.5 + 1.0) / 3)
    assert min_fde_per_scene(errors, moment) == pytest.approx((3.5 + 1.0) / 3)


def test_the_best_average_and_the_best_end_may_be_of_different_futures() -> None:
    errors = np.array([[[0.0, 4.0], [3.0, 3.0]]])
    assert min_ade_per_person(errors) == 2.0
    assert min_fde_per_person(errors) == 3.0


def test_a_miss_is_an_end_beyond_the_limit() -> None:
    assert miss_rate([[0.0, 3.0], [9.0, 1.0], [0.0, NAN]], 2.0) == 0.5
    assert miss_rate(np.array([[[0.0, 3.0], [0.0, 1.0]]]), 2.0) == 0.0
    with pytest.raises(ConfigError, match="above 0"):
        miss_rate([[1.0]], 0.0)


def test_the_density_of_a_mixture_is_that_of_torch(rng: np.random.Generator) -> None:
    """Expected: torch.distributions' mixture of multivariate normal distributions."""
    weights = rng.dirichlet(np.ones(3), 5)
    means, factors = rng.normal(size=(5, 3, 2)), np.tril(rng.uniform(0.3, 2.0, (5, 3, 2, 2)))
    x = rng.normal(size=(5, 2))
    tensors = [torch.tensor(a) for a in (weights, means, factors)]
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(tensors[0]),
        torch.distributions.MultivariateNormal(tensors[1], scale_tril=tensors[2]),
    )
    assert mixture_log_density(x, weights, means, factors) == pytest.approx(mixture.log_prob(torch.tensor(x)).numpy())
    turned = factors @ np.array([[0.6, -0.8], [0.8, 0.6]])
    assert mixture_log_density(x, weights, means, turned) == pytest.approx(mixture.log_prob(torch.tensor(x)).numpy())


def test_an_unknown_position_has_no_density_and_no_part_in_the_likelihood() -> None:
    known = mixture_log_density([[0.0, 0.0], [NAN, NAN]], np.ones((2, 1)), np.zeros((2, 1, 2)), np.eye(2)[None, None])
    assert known[0] == pytest.approx(-np.log(2 * np.pi))
    assert np.isnan(known[1])
    assert nll(known[None]) == pytest.approx(np.log(2 * np.pi))


def test_coverage_counts_ranks_below_the_level() -> None:
    assert region_coverage([0.1, 0.4, 0.6, NAN], [0.5, 0.9]) == pytest.approx([2 / 3, 1.0])
    with pytest.raises(ConfigError, match="between 0 and 1"):
        region_coverage([0.1], [1.0])


def test_shapes_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ShapeError, match="two coordinates"):
        distances(np.zeros((3, 3)), np.zeros((3, 3)))
    with pytest.raises(ShapeError, match="person, step"):
        ade(np.zeros(3))
    with pytest.raises(ShapeError, match="person, future, step"):
        min_ade_per_person(np.zeros((3, 2)))
    with pytest.raises(ShapeError, match="do not fit"):
        mixture_log_density(np.zeros(2), np.ones(2), np.zeros((3, 2)), np.zeros((2, 2, 2)))
