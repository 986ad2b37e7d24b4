"""The score chart: bars as long as the scores, the best at the top."""

import numpy as np
import pytest

from recurra.errors import ShapeError
from recurra.plots import score_chart


def test_bars_are_the_scores_from_the_best_down():
    (axes,) = score_chart(["network", "naive", "drift"], [2.0, 5.0, 3.0]).axes
    assert [bar.get_width() for bar in axes.patches] == [5.0, 3.0, 2.0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["naive", "drift", "network"]
    assert {"2", "3", "5"} <= {text.get_text() for text in axes.texts}


def test_only_the_highlighted_bar_is_coloured():
    (axes,) = score_chart(["network", "naive"], [2.0, 5.0]).axes
    assert axes.patches[0].get_facecolor() != axes.patches[1].get_facecolor()


def test_intervals_are_drawn_from_end_to_end():
    (axes,) = score_chart(["a", "b"], [2.0, 5.0], intervals=[[1.0, 3.0], [4.0, 6.0]]).axes
    assert [list(line.get_xdata()) for line in axes.lines[:2]] == [[4.0, 6.0], [1.0, 3.0]]


def test_an_unknown_score_is_a_dash():
    (axes,) = score_chart(["a", "b"], [2.0, np.nan]).axes
    assert "-" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(
    ("names", "scores", "intervals"), [([], [], None), (["a"], [1.0, 2.0], None), (["a"], [1.0], [[1.0]])]
)
def test_what_does_not_fit_is_refused(names, scores, intervals):
    with pytest.raises(ShapeError, match="per name"):
        score_chart(names, scores, intervals=intervals)
