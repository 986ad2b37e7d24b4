"""Targets that a distribution gives no probability are refused with row, column and remedy."""

import pytest

from recurra.errors import BadValueError, ConfigError


@pytest.mark.parametrize(
    ("output", "value", "message"),
    [
        ("log_normal", -2.0, "row 12, column 'y': -2 is not above zero, and output='log_normal' is for values above"),
        ("log_normal", 0.0, "row 12, column 'y': 0 is not above zero"),
        ("negative_binomial", -1.0, "row 12, column 'y': -1 is negative, and output='negative_binomial' is for counts"),
        (
            "negative_binomial",
            2.5,
            r"row 12, column 'y': 2.5 is no whole number.*use output='quantiles' \(1 such rows\)",
        ),
    ],
)
def test_impossible_values_are_named(output, value, message, make_table, quick):
    table = make_table(noise=0.0)
    table["y"] = table["y"].round()
    table.loc[11, "y"] = value
    with pytest.raises(BadValueError, match=message):
        quick(output=output).fit(table)


@pytest.mark.parametrize(("output", "value"), [("log_normal", -2.0), ("negative_binomial", 2.5)])
def test_they_are_refused_after_fit_too(output, value, make_table, quick):
    # expected: predict, hindcast, update, backtest and the stream name the same row; nothing has changed
    table = make_table("a", noise=0.0)
    table["y"] = table["y"].round()
    model = quick(output=output).fit(table[:50])
    spoilt = table.assign(y=table["y"].where(table.index != 55, value))
    stream, row = model.stream(table[:55]), {**table.iloc[55].to_dict(), "y": value}
    before = stream.forecasts().quantiles
    words = "row 56, column 'y': .* output="
    for use in (model.predict, model.stream, model.update, model.backtest, lambda rows: model.hindcast(rows, 0)):
        with pytest.raises(BadValueError, match=words):
            use(spoilt)
    with pytest.raises(BadValueError, match=f"row 1, column 'y'.*{output}"):
        stream.update(row)
    with pytest.raises(BadValueError, match=f"column 'y'.*{output}"):
        stream.update_many(spoilt[55:56])
    assert (stream.forecasts().quantiles == before).all()


@pytest.mark.parametrize("levels", [(0.0, 0.5), (0.5, 1.0), (-0.1,), (), (0.1, 0.1)])
def test_levels_outside_of_zero_and_one_are_refused(levels, table, quick):
    with pytest.raises(ConfigError, match="quantiles"):
        quick(quantiles=levels).fit(table)


def test_settings_that_do_not_go_together_are_refused(table, quick):
    with pytest.raises(ConfigError, match=r"feeds forecasts back.*forecast them too: y=\(.y., .p.\)"):
        quick(decoder="recursive", past_covariates=("p",)).fit(table)
    with pytest.raises(ConfigError, match="segment_length is for decoder='segments'"):
        quick(segment_length=3).fit(table)
