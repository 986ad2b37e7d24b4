"""The model card of a model that hears."""

from collections.abc import Mapping

from recurra.learners.card import DataNote
from recurra.learners.speech_schema import SoundConfig


def sound_card(name: str, what: str, config: SoundConfig, note: DataNote, validation: Mapping[str, float]) -> str:
    """The card as Markdown.

    Args:
        name: the learner's.
        what: what it does, in words.
        config: its settings.
        note: where the data came from.
        validation: scores on the validation part, if there was one.
    """
    fields = type(config).model_fields
    changed = {n: v for n, v in config.model_dump().items() if n != "progress" and v != fields[n].default}
    arguments = ", ".join(f"{key}={value!r}" for key, value in changed.items())
    rows = "\n".join(f"| {key} | {score:.6g} |" for key, score in validation.items())
    scores = f"| on the validation part | |\n|---|---|\n{rows}" if rows else "There was no validation part."
    return f"""# {name}

A recurrent network that {what}, saved by Recurra.

## Data

* data: {note.name}
* licence: {note.licence}
* {note.summary}

## Scores

{scores}

The validation part also decided when training stopped; speakers that took part in neither are harder.

## Made by

```python
recurra.{name}({arguments}).fit(...)
```

## Use

```python
model = recurra.load("this folder")
```
"""
