"""The forecast fan: what is drawn is what was handed over."""

import numpy as np
import pytest

from recurra.errors import ConfigError, ShapeError
from recurra.plots import FanSeries, fan, fans
from recurra.plots.fan import _bands

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def example(**changed):
    """Thirty days of history, seven of forecast."""
    days = np.datetime64("2024-03-01", "us") + np.arange(37) * np.timedelta64(1, "D")
    fields = {
        "history_ds": days[:30],
        "history_y": np.arange(30.0) * 1000,
        "ds": days[30:],
        "levels": LEVELS,
        "quantiles": 30_000 + np.arange(7.0)[:, None] * 1000 + np.array([-900.0, -300.0, 0.0, 300.0, 900.0]),
        "actual": np.arange(30.0, 37.0) * 1000,
        "title": "Riders",
        "unit": "riders per day",
    }
    return FanSeries(**(fields | changed))


def test_history_median_and_actuals_are_drawn_as_given():
    series = example()
    (axes,) = fan(series).axes
    drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
    np.testing.assert_array_equal(drawn["history"], series.history_y)
    np.testing.assert_array_equal(drawn["forecast (median)"], series.quantiles[:, 2])
    np.testing.assert_array_equal(drawn["what happened"], series.actual)


def test_the_bands_reach_from_quantile_to_quantile():
    (axes,) = fan(example()).axes
    assert [band.get_label() for band in axes.collections] == ["90 % interval", "50 % interval"]
    heights = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (29_100.0, 36_900.0)


def test_title_unit_and_legend_are_there():
    figure = fan(example())
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "Riders"
    assert "riders per day" in [text.get_text() for text in axes.texts]
    assert len(figure.legends) == 1


def test_without_actuals_dates_or_bands():
    """A forecast into the unknown, on a numbered axis, with the median alone."""
    plain = example(
        history_ds=np.arange(30), ds=np.arange(30, 37), levels=(0.5,), quantiles=np.zeros((7, 1)), actual=None
    )
    (axes,) = fan(plain).axes
    assert not axes.collections
    assert "what happened" not in [line.get_label() for line in axes.lines]


def test_origins_are_marked():
    """Two forecasts one after the other: two lines, at the origins."""
    series = example()
    (axes,) = fan(example(origins=series.ds[[0, 3]])).axes
    assert sum(line.get_linestyle() == "--" for line in axes.lines) == 2


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((0.5,), []),
        ((0.1, 0.9), [(0, 1)]),
        ((0.1, 0.3, 0.7, 0.9), [(0, 3), (1, 2)]),
        (tuple(np.round(np.arange(0.05, 0.96, 0.05), 2)), [(0, 18), (4, 14)]),
        ((0.1, 0.5, 0.7), []),
    ],
)
def test_bands_pair_symmetric_levels(levels, expected):
    """At most three, the outermost always among them; levels without a partner have no band."""
    assert [(low, high) for low, high, _ in _bands(levels)] == expected


def test_panels():
    """Three series in two columns: four panels, the last one hidden, one legend for all."""
    figure = fans([example(), example(title="b"), example(title="c")])
    assert [axes.get_visible() for axes in figure.axes] == [True, True, True, False]
    assert len(figure.legends) == 1


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="quantiles has shape"):
        example(quantiles=np.zeros((7, 3)))
    with pytest.raises(ShapeError, match="actual has shape"):
        example(actual=np.zeros(6))
    with pytest.raises(ShapeError, match="history_y has shape"):
        example(history_y=np.zeros(29))
    with pytest.raises(ConfigError, match="0 series"):
        fans([])
