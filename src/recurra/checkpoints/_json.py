"""JSON as model folders hold it: plain values, finite numbers, one way to write each."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeAlias

from recurra.errors import ConfigError

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


def plain(value: object, place: str = "config") -> Json:
    """The value as lists and dicts of plain JSON values.

    Args:
        value: None, bool, int, float, str, or lists, tuples and mappings of them.
        place: where the value stands, for the error message.

    Raises:
        ConfigError: a number that is not finite, a key that is not text, or any other type, named by its place.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            if not math.isfinite(value):
                raise ConfigError(f"{place} is {value}: a model folder holds finite numbers only; write null or text")
            return value
        case list() | tuple():
            return [plain(item, f"{place}[{at}]") for at, item in enumerate(value)]
        case Mapping():
            for key in value:
                if not isinstance(key, str):
                    raise ConfigError(f"{place} has the key {key!r}, which is not text; write it as a string")
            return {key: plain(item, f"{place}.{key}") for key, item in value.items()}
    raise ConfigError(f"{place} is a {type(value).__name__}, which JSON cannot hold; hand in plain Python values")


def dump(value: Json) -> bytes:
    """The value as JSON in UTF-8, keys sorted: equal values give equal bytes."""
    return (json.dumps(value, allow_nan=False, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def parse(content: bytes) -> Json:
    """The value that JSON in UTF-8 stands for.

    Raises:
        ValueError: not UTF-8, not JSON, a key twice in one object, NaN or infinity, or nested too deeply.
    """
    try:
        value: Json = json.loads(content.decode(), parse_constant=_not_finite, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def _not_finite(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}")


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
