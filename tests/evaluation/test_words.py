"""Figures and verdicts as they are printed."""

import pytest

from recurra.evaluation._words import aligned, number, percent, verdict_sentence
from recurra.evaluation.scores import Comparison
from recurra.evaluation.significance import Interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (29015.4, "29,015"), (4.2131, "4.213"), (0.05871, "0.05871"), (999.96, "1000."[:-1]), (0.0, "0.000"),
        (-1234.5, "-1,234"), (1e-7, "1.000e-07"), (3.2e30, "3.200e+30"), (float("nan"), "-"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


def test_percent():
    assert percent(0.3121) == "31.2 %"
    assert percent(0.02, sign=True) == "+2.0 %"
    assert percent(float("nan")) == "-"


def test_columns_line_up():
    assert aligned(["", "MAE"], [["network", "1.5"], ["x", "10.25"]]).splitlines() == [
        "            MAE",
        "---------------",
        "network     1.5",
        "x         10.25",
    ]


@pytest.mark.parametrize(
    ("comparison", "sentence"),
    [
        (
            Comparison("drift", "MAE", 75.0, 100.0, Interval(-25, -30, -20, 0.95, 12), "better"),
            "The network is better than the best naive rule (drift): MAE 75.00 against 100.0, 25.0 % lower; "
            "95 % interval of the difference -30.00 to -20.00.",
        ),
        (
            Comparison("naive", "MASE", 1.1, 1.0, Interval(0.1, 0.05, 0.2, 0.95, 12), "worse"),
            "The network is worse than the best naive rule (naive): MASE 1.100 against 1.000, 10.0 % higher; "
            "95 % interval of the difference 0.05000 to 0.2000.",
        ),
        (
            Comparison("naive", "MAE", 9.0, 10.0, Interval(-1, -3, 1, 0.95, 12), "no better"),
            "The network is no better than the best naive rule (naive): MAE 9.000 against 10.00; the 95 % interval of "
            "the difference, -3.000 to 1.000, includes zero: a tie.",
        ),
        (
            Comparison("naive", "MAE", 5.0, 10.0, Interval(-5, -6, -4, 0.95, 5), "no better"),
            "The network is no better than the best naive rule (naive) as far as 5 folds or series can tell: "
            "MAE 5.000 against 10.00; a verdict needs at least 6 folds or series.",
        ),
    ],
    ids=["better", "worse", "tie", "too few"],
)
def test_verdicts(comparison, sentence):
    assert verdict_sentence(comparison) == sentence
