"""The S&P 500 as the catalogue's manifest describes it, where RECURRA_DATA_DIR has it."""

import os

import numpy as np
import pytest

from recurra.data.catalogue import ENVIRONMENT, load_sp500

needs_data = pytest.mark.skipif(not os.environ.get(ENVIRONMENT), reason=f"{ENVIRONMENT} is not set")


@needs_data
def test_the_set_has_the_days_of_the_manifest() -> None:
    """4,600 complete days from 2000-01-03; 2,095 of them from 2010-01-04 to 2018-04-30."""
    asset = load_sp500().assets[0]
    assert np.sum(~np.isnan(asset.variance)) == 4600
    assert asset.ds[[0, -1]].astype("M8[D]").astype(str).tolist() == ["2000-01-03", "2018-04-30"]
    assert np.sum(asset.ds >= np.datetime64("2010-01-04")) == 2095
    assert set(asset.covariates) == {"vix"}
    assert not load_sp500(vix=False).assets[0].covariates
