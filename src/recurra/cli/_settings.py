"""Settings of a learner as flags and as a TOML file, both derived from the learner's schema."""

import difflib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, field, make_dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cyclopts import Parameter
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from recurra.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NONE = "none"
GROUP = "Settings (flags, or keys of a TOML file)"


def flags(schema: type[BaseModel], **defaults: object) -> type[Any]:
    """A dataclass with one flag for each field of a schema; a flag that is not given is None.

    A list is given by repeating its flag or with commas, a mapping likewise by name=value; `none` stands for no value.

    Args:
        schema: a learner's settings; names, types, defaults and descriptions of the flags are the fields'.
        defaults: defaults to show where the command line has its own.
    """
    made = [
        (name, Annotated[_flag_type(item) | None, _flag(item, defaults.get(name, item.default))], field(default=None))
        for name, item in schema.model_fields.items()
    ]
    result = make_dataclass(f"{schema.__name__}Flags", made, frozen=True)
    result.__module__ = __name__  # cyclopts flattens no class of the standard library's module `types`
    return Parameter(name="*", group=GROUP)(result)


def settings(schema: type[BaseModel], given: object, config: Path | None, table: str = "forecaster") -> dict[str, Any]:
    """What a TOML file and flags say together; flags win.

    Args:
        schema: the learner's settings.
        given: an instance of `flags(schema)`.
        config: a TOML file, if any.
        table: the table in it that holds the settings.

    Returns:
        Keywords for the learner; only those that were given. The learner checks their values.

    Raises:
        ConfigError: the file cannot be read, or has a key that is no setting.
    """
    from_flags = {name: value for name, value in asdict(given).items() if value is not None}  # type: ignore[call-overload]
    from_file = read_toml(config, schema, table) if config else {}
    return {**from_file, **{name: _value(value, schema.model_fields[name]) for name, value in from_flags.items()}}


def read_toml(path: Path, schema: type[BaseModel], table: str = "forecaster") -> dict[str, Any]:
    """The settings in a TOML file's table.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or has a table or key that is not known.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not a TOML file: {error}") from error
    _refuse_unknown(content, [table], f"{path}: unknown table or key")
    found = content.get(table, {})
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: {table} must be a table; write [{table}] above its settings")
    _refuse_unknown(found, list(schema.model_fields), f"{path}: [{table}] has an unknown setting")
    return found


def _refuse_unknown(found: Mapping[str, object], known: list[str], what: str) -> None:
    for name in found:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
            raise ConfigError(f"{what} {name!r}; {hint}")


def _flag_type(item: FieldInfo) -> Any:
    """The type that a flag's text is read as."""
    kinds = _alternatives(item)
    if any(get_origin(kind) in (tuple, dict) for kind in kinds):
        return list[str]
    plain = tuple(kind for kind in kinds if kind is not type(None))
    if str in plain:
        return str
    if float in plain:
        plain = (float,)
    return Union[(*plain, Literal["none"])] if type(None) in kinds else Union[plain]  # noqa: UP007  made at run time


def _flag(item: FieldInfo, default: object) -> Parameter:
    return Parameter(help=f"{item.description} [default: {_shown(default)}]", show_default=False, negative=())


def _shown(default: object) -> str:
    match default:
        case None | ():
            return NONE
        case dict():
            return ",".join(f"{name}={value}" for name, value in default.items()) or NONE
        case tuple():
            return ",".join(map(str, default))
    return str(default)


def _value(value: Any, item: FieldInfo) -> Any:
    """What was given on the command line, as the schema takes it."""
    kinds = _alternatives(item)
    if isinstance(value, list) and str in kinds:  # the name of a column may hold a comma
        return value[0] if len(value) == 1 else value
    if isinstance(value, list):
        words = [word for text in value for word in text.split(",") if word]
        if any(get_origin(kind) is dict for kind in kinds):
            return _mapping(words)
        if len(words) == 1 and any(words[0] in get_args(kind) for kind in kinds if get_origin(kind) is Literal):
            return words[0]
        if words == [NONE]:
            return None if type(None) in kinds else []
        return words
    if value == NONE and type(None) in kinds:
        return None
    if isinstance(value, float) and value.is_integer() and int in kinds:
        return int(value)
    return value


def _mapping(words: list[str]) -> dict[str, Any]:
    """Words name=value as a mapping; true, false and numbers are read as such."""
    found: dict[str, Any] = {}
    for word in words if words != [NONE] else []:
        name, equals, text = word.partition("=")
        if not equals:
            raise ConfigError(f"{word!r} must be written as name=value")
        try:
            found[name] = json.loads(text)
        except json.JSONDecodeError:
            found[name] = text
    return found


def _alternatives(item: FieldInfo) -> tuple[Any, ...]:
    if get_origin(item.annotation) in (Union, UnionType):
        return get_args(item.annotation)
    return (item.annotation,)
