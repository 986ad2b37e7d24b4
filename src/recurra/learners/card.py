"""The model card that every saved model carries: what it does, what it learned from, how well, and the command."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class DataNote:
    """Where a model's data came from; the learner fills in what it can count."""

    name: str = "not named"
    licence: str = "not stated"
    summary: str = ""


def forecast_card(
    settings: Mapping[str, object], note: DataNote, validation: Mapping[str, float], reasons: Mapping[str, str]
) -> str:
    """A forecaster's card as Markdown.

    Args:
        settings: the constructor's keywords that differ from the defaults.
        note: where the data came from.
        validation: mean absolute error on the validation part, by rule.
        reasons: why the residual path was chosen.
    """
    return _card(
        "Forecaster",
        "forecasts the next values of time series",
        "Mean absolute error on the validation part, the last rows of each series, in the units of the target",
        "MAE",
        (settings, note, validation, reasons),
    )


def trajectory_card(
    settings: Mapping[str, object], note: DataNote, validation: Mapping[str, float], reasons: Mapping[str, str]
) -> str:
    """A trajectory forecaster's card as Markdown; the arguments are those of `forecast_card`."""
    return _card(
        "TrajectoryForecaster",
        "draws the possible paths of moving objects",
        "Mean displacement error of the middle path on the validation part, in units of length",
        "ADE",
        (settings, note, validation, reasons),
    )


def translation_card(settings: Mapping[str, object], note: DataNote, validation: Mapping[str, float]) -> str:
    """A translator's card as Markdown; the arguments are those of `forecast_card`."""
    arguments = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    rows = "\n".join(f"* {name}: {value:.4g}" for name, value in validation.items())
    return f"""# Translator

A recurrent network that turns one text into another, saved by Recurra.

## Data

* data: {note.name}
* licence: {note.licence}
* {note.summary}

## Scores

{rows}

The validation part also decided when training stopped; `score` gives scores on pairs that decided nothing, beside
copying the source.

## Made by

```python
recurra.Translator({arguments}).fit(source, target)
```

## Use

```python
model = recurra.load("this folder")
model.translate(["a text", "another one"])
```
"""


def _card(
    learner: str,
    does: str,
    scored: str,
    score: str,
    about: tuple[Mapping[str, object], DataNote, Mapping[str, float], Mapping[str, str]],
) -> str:
    settings, note, validation, reasons = about
    arguments = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    rows = "\n".join(f"| {name} | {value:.6g} |" for name, value in sorted(validation.items(), key=lambda row: row[1]))
    chosen = "\n".join(f"* {name}: {reason}" for name, reason in sorted(reasons.items()))
    return f"""# {learner}

A recurrent network that {does}, saved by Recurra.

## Data

* data: {note.name}
* licence: {note.licence}
* {note.summary}

## Scores

{scored}:

| rule | {score} |
|---|---|
{rows}

{verdict(validation)} The validation part also decided when training stopped; `backtest` gives scores on data that
decided nothing.

## Made by

```python
recurra.{learner}({arguments}).fit(table)
```

{chosen}

## Use

```python
model = recurra.load("this folder")
model.predict(table)
```
"""


def market_card(settings: Mapping[str, object], note: DataNote) -> str:
    """A market forecaster's card as Markdown.

    Args:
        settings: the constructor's keywords that differ from the defaults.
        note: where the data came from.
    """
    arguments = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    return f"""# MarketForecaster

A recurrent network that forecasts the distribution of returns and their variance, saved by Recurra.

## Data

* data: {note.name}
* licence: {note.licence}
* {note.summary}

## Scores

None: every day that was given was learned from. `backtest(table, since=...)` walks forward over days that were not,
beside random walk, EWMA, GARCH, GJR, HAR and log-HAR, and says in words whether there is evidence of skill.

## Made by

```python
recurra.MarketForecaster({arguments}).fit(table)
```

## Use

```python
model = recurra.load("this folder")
model.predict(table)
```
"""


def verdict(validation: Mapping[str, float]) -> str:
    """One sentence: whether the network's error is below the best naive rule's."""
    rules = {name: score for name, score in validation.items() if name != "network"}
    if "network" not in validation or not rules:
        return "There was nothing to compare with."
    best = min(rules, key=lambda name: rules[name])
    gain = 1.0 - validation["network"] / rules[best] if rules[best] > 0 else 0.0
    if gain <= 0:
        return f"The network is no better than the {best} rule."
    return f"The network's error is {100 * gain:.1f} % below that of the best naive rule ({best})."
