"""Holes in trading days that weekends and holidays explain, and those that they do not."""

import numpy as np

from recurra.data.market.trading_days import long_gaps


def test_a_week_may_be_closed_and_eight_days_may_not():
    days = np.array(["2001-09-10", "2001-09-17", "2001-09-25"], "datetime64[us]")  # New York in September 2001
    assert long_gaps(days, 7).tolist() == [False, False, True]
