"""Scores of predicted paths: displacement errors, the best of k, misses; pure functions on numpy arrays.

Errors are distances of predicted from actual positions, [n, horizon], NaN where the actual position is not known;
n are persons (objects at one moment). The best-of-k scores take errors of k futures each, [n, k, horizon].
"""

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError, ShapeError

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def distances(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> Array:
    """Euclidean distances on a flat map, [..., horizon].

    Args:
        actual: [..., horizon, 2]; NaN = not known.
        predicted: the same shape, or one that broadcasts with it.

    >>> distances([[3.0, 4.0]], [[0.0, 0.0]]).tolist()
    [5.0]
    """
    a, p = np.asarray(actual, np.float64), np.asarray(predicted, np.float64)
    if a.shape[-1:] != (2,) or p.shape[-1:] != (2,):
        raise ShapeError(f"positions have shapes {a.shape} and {p.shape}; the last axis must hold two coordinates")
    return np.asarray(np.hypot(a[..., 0] - p[..., 0], a[..., 1] - p[..., 1]))


def ade(errors: npt.ArrayLike) -> float:
    """Average displacement error: the mean over persons of the mean over their known steps.

    >>> ade([[1.0, 3.0], [2.0, float("nan")]])
    2.0
    """
    return _mean(person_ade(errors))


def fde(errors: npt.ArrayLike) -> float:
    """Final displacement error: the mean over persons of the error at the last step of the horizon.

    >>> fde([[1.0, 3.0], [2.0, float("nan")]])
    3.0
    """
    return _mean(_checked(errors)[..., -1])


def person_ade(errors: npt.ArrayLike) -> Array:
    """Mean error over the known steps of each person, [n]; NaN where none is known."""
    e = _checked(errors)
    known = ~np.isnan(e)
    count = known.sum(-1)
    total = np.where(known, e, 0.0).sum(-1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def error_by_step(errors: npt.ArrayLike) -> Array:
    """Mean error at each step ahead, [horizon]; NaN where it is never known."""
    e = _checked(errors)
    known = ~np.isnan(e)
    count = known.sum(0)
    total = np.where(known, e, 0.0).sum(0)
    return np.asarray(np.divide(total, count, out=np.full(e.shape[1], np.nan), where=count > 0))


def min_ade_per_person(errors: npt.ArrayLike) -> float:
    """minADE_k: each person's best future by its mean error, averaged over persons.

    Args:
        errors: [n, k, horizon].
    """
    return _mean(_futures(errors)[0].min(axis=1))


def min_fde_per_person(errors: npt.ArrayLike) -> float:
    """minFDE_k: each person's best future by its last error, averaged over persons; errors [n, k, horizon]."""
    return _mean(_futures(errors)[1].min(axis=1))


def min_ade_per_scene(errors: npt.ArrayLike, moment: npt.ArrayLike) -> float:
    """minADE_k of whole scenes: one future for everybody of a moment, the best for all of them together.

    Weaker than per person: k futures of ten people hold k joint ones, not k to the power of ten.

    Args:
        errors: [n, k, horizon]; future j of all persons of a moment belongs together.
        moment: number of the moment of each person, [n].

    Returns:
        The mean over persons.

    Source: Gupta et al. 2018 (Social GAN), whose best-of-20 figures are of this kind.
    """
    return _scene_minimum(_futures(errors)[0], np.asarray(moment, np.int64))


def min_fde_per_scene(errors: npt.ArrayLike, moment: npt.ArrayLike) -> float:
    """minFDE_k of whole scenes; see `min_ade_per_scene`."""
    return _scene_minimum(_futures(errors)[1], np.asarray(moment, np.int64))


def miss_rate(errors: npt.ArrayLike, limit: float) -> float:
    """Share of persons whose nearest future ends further than `limit` from where they went.

    Args:
        errors: [n, k, horizon], or [n, horizon] for a single future; a person whose last step is not known takes no
            part.
        limit: in units of length; 2 metres is usual for pedestrians.

    Raises:
        ConfigError: if the limit is not above 0.
    """
    if not limit > 0:
        raise ConfigError(f"the limit of a miss must be above 0, not {limit}")
    e = np.asarray(errors, np.float64)
    last = e[..., -1] if e.ndim == 2 else _futures(e)[1].min(axis=1)
    known = last[~np.isnan(last)]
    return float(np.mean(known > limit)) if len(known) else float("nan")


def mixture_log_density(
    actual: npt.ArrayLike, weights: npt.ArrayLike, means: npt.ArrayLike, factors: npt.ArrayLike
) -> Array:
    """Logarithm of the density of positions under mixtures of bivariate normal distributions.

    log Σ_k π_k N(x; μ_k, A_k A_k')  with  log N = -log 2π - log|det A| - |A^-1 (x - μ)|² / 2

    Args:
        actual: [..., 2]; NaN = not known.
        weights: π, [..., K], summing to one.
        means: μ, [..., K, 2].
        factors: A, [..., K, 2, 2].

    Returns:
        [...], NaN where the position is not known.
    """
    x, pi = np.asarray(actual, np.float64), np.asarray(weights, np.float64)
    mu, a = np.asarray(means, np.float64), np.asarray(factors, np.float64)
    if mu.shape[-1] != 2 or a.shape[-2:] != (2, 2) or mu.shape[-2] != pi.shape[-1]:
        raise ShapeError(f"weights {pi.shape}, means {mu.shape} and factors {a.shape} do not fit each other")
    determinant = a[..., 0, 0] * a[..., 1, 1] - a[..., 0, 1] * a[..., 1, 0]
    e = x[..., None, :] - mu
    z0 = (a[..., 1, 1] * e[..., 0] - a[..., 0, 1] * e[..., 1]) / determinant
    z1 = (a[..., 0, 0] * e[..., 1] - a[..., 1, 0] * e[..., 0]) / determinant
    with np.errstate(divide="ignore"):
        parts = np.log(pi) - np.log(2.0 * np.pi) - np.log(np.abs(determinant)) - 0.5 * (z0**2 + z1**2)
    most = parts.max(-1, keepdims=True)
    return np.asarray(most[..., 0] + np.log(np.exp(parts - most).sum(-1)))


def nll(log_density: npt.ArrayLike) -> float:
    """Negative log likelihood in nats: the mean over persons of the mean over their known steps."""
    return -_mean(person_ade(log_density))


def region_coverage(ranks: npt.ArrayLike, levels: npt.ArrayLike) -> Array:
    """How often the truth lay inside the smallest region that claims to hold it with each probability.

    For one bivariate normal distribution the region is the ellipse |A^-1 (x - μ)|² <= -2 log(1 - level).

    Args:
        ranks: probability of the region of higher density than at the actual position, [...]; NaN = not known.
        levels: claimed probabilities.

    Returns:
        The share of known positions inside, one for each level.
    """
    r = np.asarray(ranks, np.float64).reshape(-1)
    r = r[~np.isnan(r)]
    tau = np.atleast_1d(np.asarray(levels, np.float64))
    if np.any((tau <= 0) | (tau >= 1)):
        raise ConfigError(f"levels {tau.tolist()} must lie between 0 and 1")
    return np.array([np.mean(r <= level) if len(r) else np.nan for level in tau])


def _futures(errors: npt.ArrayLike) -> tuple[Array, Array]:
    """Mean over known steps and last error of every future, both [n, k]."""
    e = np.asarray(errors, np.float64)
    if e.ndim != 3:
        raise ShapeError(f"errors have shape {e.shape}; the best of k futures takes [person, future, step]")
    return person_ade(e.reshape(-1, e.shape[2])).reshape(e.shape[:2]), e[..., -1]


def _scene_minimum(values: Array, moment: Ints) -> float:
    """Mean over persons of the future that is best for everybody of their moment, by the sum over them."""
    known = ~np.isnan(values).any(axis=1)
    kept, number = values[known], np.unique(moment[known], return_inverse=True)[1]
    if not len(kept):
        return float("nan")
    sums = np.zeros((int(number.max()) + 1, values.shape[1]))
    np.add.at(sums, number, kept)
    return float(sums.min(axis=1).sum() / len(kept))


def _checked(errors: npt.ArrayLike) -> Array:
    e = np.asarray(errors, np.float64)
    if e.ndim != 2:
        raise ShapeError(f"errors have shape {e.shape}; they must be [person, step]")
    return e


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(np.mean(known)) if len(known) else float("nan")
