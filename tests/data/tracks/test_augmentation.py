"""Windows turned, mirrored and run at another speed."""

import numpy as np
import pytest

from recurra.data.tracks import Augmentation, transform
from recurra.errors import ConfigError


def test_lengths_change_by_the_time_scale_only_and_angles_are_kept(rng: np.random.Generator) -> None:
    """|A v| / |v| is one factor a window, within the bound; the angle between two vectors stays, but for its sign."""
    matrices = Augmentation(rotate=True, mirror=True, time_scale=1.5).matrices(200, rng)
    vectors = rng.normal(size=(200, 7, 2))
    ratio = np.linalg.norm(transform(vectors, matrices), axis=-1) / np.linalg.norm(vectors, axis=-1)
    assert np.allclose(ratio, ratio[:, :1])
    assert (ratio > 1 / 1.5 - 1e-12).all()
    assert (ratio < 1.5 + 1e-12).all()
    assert ratio.std() > 0.1
    determinant = np.linalg.det(matrices)
    assert 60 < (determinant < 0).sum() < 140


def test_nothing_is_done_by_default(rng: np.random.Generator) -> None:
    plain = Augmentation()
    assert plain.does_nothing
    assert np.array_equal(plain.matrices(3, rng), np.broadcast_to(np.eye(2), (3, 2, 2)))
    with pytest.raises(ConfigError, match="time_scale"):
        Augmentation(time_scale=0.5)
