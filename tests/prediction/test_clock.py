"""Stamps and calendar features come out of blocks as they do one by one."""

import numpy as np
import pandas as pd

from recurra.prediction.clock import BLOCK, Clock


def test_a_clock_goes_on_beyond_its_block(frame, read, predictor):
    # expected: Frequency.steps_after and the preparation's own calendar
    preparation = predictor(read(frame("a"), "D"), calendar=("weekday",)).preparation
    clock, step, horizon = Clock(preparation), preparation.spec.step, preparation.spec.horizon
    for stamp in pd.date_range("2024-01-01", periods=BLOCK + 3).to_numpy().astype("datetime64[us]"):
        ahead = clock.after(stamp)
        ds = step.steps_after(np.array([stamp]), horizon)[0]
        np.testing.assert_array_equal(ahead.ds, ds)
        np.testing.assert_array_equal(ahead.calendar, preparation.calendar(np.array([stamp, *ds])))
