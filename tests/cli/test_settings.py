"""Flags and TOML files, both derived from the learner's schema."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import tomllib

import recurra
from recurra.cli._settings import flags, read_toml, settings
from recurra.errors import ConfigError
from recurra.learners.schema import ForecasterConfig

Run = Callable[..., Any]


class Recorder:
    """Stands in for the Forecaster: keeps its keywords, and goes no further."""

    keywords: dict[str, Any]

    def __init__(self, **keywords: Any) -> None:
        type(self).keywords = keywords
        raise ConfigError("recorded")


@pytest.fixture
def keywords_of(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """The keywords that a command line hands to the Forecaster."""
    monkeypatch.setattr(recurra, "Forecaster", Recorder, raising=False)

    def call(*arguments: object) -> dict[str, Any]:
        found = run("fit", "t.csv", "--out", tmp_path / "model", *arguments)
        assert found.err == "recurra: error: recorded\n"
        return Recorder.keywords

    return call


def test_there_is_a_flag_for_every_setting_with_its_default_and_description(run: Run) -> None:
    shown = run("fit", "--help").out
    assert [field.name for field in fields(flags(ForecasterConfig))] == list(ForecasterConfig.model_fields)
    for name in ForecasterConfig.model_fields:
        assert f"--{name.replace('_', '-')} " in shown


def test_nothing_given_leaves_everything_to_the_learner(keywords_of: Callable[..., dict[str, Any]]) -> None:
    assert keywords_of() == {"progress": "auto"}
    assert keywords_of("--json") == {"progress": "json"}
    assert keywords_of("--json", "--progress", "none") == {"progress": "none"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["--horizon", 14, "--cell", "lstm", "--learning-rate", "1e-3"],
            {"horizon": 14, "cell": "lstm", "learning_rate": 1e-3},
        ),
        (["--season", 7], {"season": 7}),
        (["--season", "none"], {"season": None}),
        (["--unique-id", "none", "--ds", "day"], {"unique_id": None, "ds": "day"}),
        (["--residual", "none"], {"residual": "none"}),
        (["--gradient-clip", "none"], {"gradient_clip": None}),
        (["--validation", "0.2"], {"validation": 0.2}),
        (["--validation", "28"], {"validation": 28}),
        (["--past-covariates", "a", "--past-covariates", "b"], {"past_covariates": ["a", "b"]}),
        (["--future-covariates", "a,b"], {"future_covariates": ["a", "b"]}),
        (["--static-covariates", "a,b", "--unseen", "ignore"], {"static_covariates": ["a", "b"], "unseen": "ignore"}),
        (["--y", "net sales, EUR"], {"y": "net sales, EUR"}),
        (["--y", "sales", "--y", "returns"], {"y": ["sales", "returns"]}),
        (["--freq", "irregular", "--scaling", "auto"], {"freq": "irregular", "scaling": "auto"}),
        (["--missing-covariates", "mask"], {"missing_covariates": "mask"}),
        (["--future-covariates", "none"], {"future_covariates": []}),
        (["--calendar", "auto"], {"calendar": "auto"}),
        (["--calendar", "none"], {"calendar": []}),
        (["--calendar", "weekday,month"], {"calendar": ["weekday", "month"]}),
        (["--quantiles", "0.1,0.9"], {"quantiles": ["0.1", "0.9"]}),
        (["--cell-options", "layer_norm=ba,peephole=true"], {"cell_options": {"layer_norm": "ba", "peephole": True}}),
        (["--cell-options", "zoneout=0.1"], {"cell_options": {"zoneout": 0.1}}),
        (["--decoder", "segments", "--segment-length", 7], {"decoder": "segments", "segment_length": 7}),
    ],
)
def test_flags(keywords_of: Callable[..., dict[str, Any]], arguments: list[object], expected: dict[str, Any]) -> None:
    found = keywords_of(*arguments)
    assert found == {"progress": "auto", **expected}
    ForecasterConfig(**found)
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in {"progress": "auto", **expected}.items()
    }


def test_an_option_without_a_value_is_refused(run: Run, tmp_path: Path) -> None:
    found = run("fit", "t.csv", "--out", tmp_path / "model", "--cell-options", "peephole")
    assert "'peephole' must be written as name=value" in found.err


def test_flags_win_over_the_file(keywords_of: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    path.write_text('[forecaster]\nhorizon = 14\ncell = "rnn"\nquantiles = [0.1, 0.9]\nprogress = "none"\n')
    found = keywords_of("--config", path, "--cell", "gru")
    assert found == {"horizon": 14, "cell": "gru", "quantiles": [0.1, 0.9], "progress": "none"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[forecaster]\nhorizn = 3\n", r"\[forecaster\] has an unknown setting 'horizn'; did you mean horizon\?"),
        ("[forcaster]\nhorizon = 3\n", r"unknown table or key 'forcaster'; did you mean forecaster\?"),
        ("horizon = 3\n", "unknown table or key 'horizon'; known: forecaster"),
        ("forecaster = 3\n", r"write \[forecaster\] above its settings"),
        ("[forecaster\n", "is not a TOML file"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "model.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"model\.toml.*{said}"):
        read_toml(path, ForecasterConfig)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read: No such file"):
        settings(ForecasterConfig, flags(ForecasterConfig)(), tmp_path / "none.toml")


def test_the_file_in_the_documentation_is_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
    text = page.partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "model.toml").write_text(text)
    found = read_toml(tmp_path / "model.toml", ForecasterConfig)
    assert found == tomllib.loads(text)["forecaster"]
    ForecasterConfig(**found)
