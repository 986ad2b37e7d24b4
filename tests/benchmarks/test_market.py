"""The market report judges a bar only on every table, and its stretches of real days keep what they should."""

import os

import numpy as np
import pytest

from benchmarks import _market_runs
from benchmarks._market_report import report


def test_the_verdicts_wait_for_every_table() -> None:
    # expected: by hand
    found = {f"shuffled/{number}": {"evidence": number < 3} for number in range(90)}
    planted = {f"planted/{number}": {"evidence": number != 6} for number in range(20)}
    text = report({**found, **planted})
    assert '3 of 90 shuffled tables (1,000 days tested) get "evidence of skill"' in text
    assert "bar at most 5 %: 90 of 200 tables so far, so that no bar is judged yet." in text
    assert "bar all of them: missed." in text
    assert "* 19 of 20 tables with a planted autoregression" in text
    assert "Not run: rules; base; vix; signs; planted-long." in text
    text = report({f"signs/{number}": {"evidence": number < 10} for number in range(200)})
    assert "bar at most 5 %: met." in text


@pytest.mark.skipif("RECURRA_DATA_DIR" not in os.environ, reason="RECURRA_DATA_DIR is not set: no S&P 500 here")
def test_a_table_of_signs_keeps_sizes_and_variance_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    # expected: the set itself; of 2,000 signs about half are turned (8 deviations: 1000 +- 179)
    seen = {}

    def verdict(asset: object, number: int, size: str, hidden_size: int) -> dict[str, object]:
        seen.update(asset=asset, size=size, hidden_size=hidden_size)
        return {"evidence": True, "returns": [False, 0.5, 0.0]}

    monkeypatch.setattr(_market_runs, "_verdict", verdict)
    assert _market_runs.run_signs(3)["evidence"] is False
    whole, found = _market_runs.sp500(False).assets[0], seen["asset"]
    begin = int(np.flatnonzero(whole.ds == found.ds[0])[0])
    real = whole.part(begin, begin + 2000)
    np.testing.assert_array_equal(found.variance, real.variance)
    np.testing.assert_array_equal(np.abs(found.returns), np.abs(real.returns))
    assert abs(int(np.sum(found.returns != real.returns)) - 1000) < 179
