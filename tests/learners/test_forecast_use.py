"""Explaining and drawing through the learner."""

import numpy as np
import pytest

from recurra.errors import ConfigError, TableError


def test_a_forecast_is_taken_apart_by_series(fitted, table) -> None:
    told = fitted.explain(table, series="b", step=3, points=128)
    mean = fitted.forecasts(table).mean[1, 2]
    assert told.series == "b"
    assert told.forecast == pytest.approx(mean, rel=1e-9)
    assert abs(told.completeness_error) < 1e-4
    assert next(iter(told.by_input)) in {*told.inputs, *(f"{name}, ahead" for name in told.known)}
    assert len(told.to_table()) == 2 + 28 * len(told.inputs) + len(told.inputs) + 3 * len(told.known) + 1
    with pytest.raises(ConfigError, match="say which one"):
        fitted.explain(table)
    with pytest.raises(TableError, match="no series 'c'"):
        fitted.explain(table, series="c")


def test_a_picture_has_a_panel_a_series(fitted, table) -> None:
    figure = fitted.plot(table, history=20)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert len(shown) == 2
    assert min(len(line.get_xdata()) for line in shown[0].lines if len(line.get_xdata()) > 3) <= 20
    alone = fitted.plot(table, most=1)
    assert len([axes for axes in alone.axes if axes.get_visible()]) == 1
    np.testing.assert_array_equal(table["y"].isna(), False)
