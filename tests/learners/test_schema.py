"""One schema behind constructor, TOML and flags: it needs no torch, and says what is wrong by name."""

import subprocess
import sys

import pytest

from recurra.errors import ConfigError
from recurra.learners.parameters import validate
from recurra.learners.schema import ForecasterConfig


def test_reading_the_settings_imports_no_torch():
    code = "import sys, recurra.learners.schema; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_every_setting_is_described():
    assert all(field.description for field in ForecasterConfig.model_fields.values())


def test_the_median_is_always_among_the_quantiles_and_they_are_sorted():
    assert validate(ForecasterConfig, {"quantiles": [0.9, 0.1]}).quantiles == (0.1, 0.5, 0.9)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"validation": 1.5}, "a share below 1, or a whole number of rows, not 1.5"),
        ({"validation": 10.7}, "a whole number of rows"),
        ({"validation": 1.0}, "a share below 1"),
        ({"validation": True}, "a share below 1"),
        ({"past_covariates": ["store"], "categorical": ["stroe"]}, "'stroe' is none of the covariates"),
        ({"unique_id": "sample"}, "column 'sample' is named as a column of the forecasts is"),
        ({"unique_id": "mean"}, "rename it"),
        ({"ds": "forecast"}, "rename it"),
        ({"ds": "q05"}, "rename it"),
    ],
)
def test_what_reads_as_something_else_is_refused_but_a_saved_model_is_loaded(wrong, words):
    with pytest.raises(ConfigError, match=words):
        validate(ForecasterConfig, wrong)
    assert validate(ForecasterConfig, wrong, saved=True)


def test_whole_numbers_and_shares_are_taken():
    for validation in (0.15, 1, 10, 10.0):
        assert validate(ForecasterConfig, {"validation": validation}).validation == validation
    assert validate(ForecasterConfig, {"static_covariates": ["s"], "categorical": ["s"]}).categorical == ("s",)


def test_lists_become_tuples_and_all_problems_are_named_at_once():
    assert validate(ForecasterConfig, {"past_covariates": ["a"]}).past_covariates == ("a",)
    with pytest.raises(ConfigError) as caught:
        validate(ForecasterConfig, {"horizon": "many", "dropout": 2.0, "colour": "blue"})
    for name in ("horizon", "dropout", "colour"):
        assert name in str(caught.value)
    assert "\n" not in str(caught.value)
