"""The trajectory sets of the catalogue, as published."""

import os

import numpy as np
import pytest

from recurra.data.catalogue import load_eth_ucy, load_hurdat
from recurra.errors import ConfigError

NEEDS_DATA = pytest.mark.skipif("RECURRA_DATA_DIR" not in os.environ, reason="needs RECURRA_DATA_DIR")


@NEEDS_DATA
def test_the_hurricanes_are_those_that_are_counted() -> None:
    """Expected: the manifest's 1,892 storms; 912 fixes are not synoptic, 34 have no position."""
    storms = load_hurdat()
    assert storms.n_tracks == 1_892
    assert len(storms) == 51_826 - 34 - 912
    assert np.abs(storms.position[:, 0]).max() <= 180.0
    assert storms.usual_step_s == 6 * 3600.0


def test_an_unknown_scene_is_refused() -> None:
    with pytest.raises(ConfigError, match="the scenes are eth, hotel"):
        load_eth_ucy("paris")
