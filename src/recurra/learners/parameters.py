"""The scikit-learn manners of every learner: parameters by name, no work in the constructor, refusal before fit."""

from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ValidationError

from recurra.errors import ConfigError, NotFittedError

SAVED = "saved"
Self = TypeVar("Self", bound="Learner")
Config = TypeVar("Config", bound=BaseModel)


class Learner:
    """Base of the learners.

    A learner's constructor stores its keywords, unchanged, under their own names; they are checked at
    `fit`. What `fit` learns ends in an underscore.
    """

    schema: ClassVar[type[BaseModel]]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's keywords and their values.

        Args:
            deep: accepted for scikit-learn's sake; no parameter has parameters of its own.
        """
        del deep
        return {name: getattr(self, name) for name in self.schema.model_fields}

    def set_params(self: Self, **params: Any) -> Self:
        """Change some of the constructor's keywords; they take effect at the next `fit`.

        Raises:
            ConfigError: for a name the constructor does not have.
        """
        for name in params:
            if name not in self.schema.model_fields:
                known = ", ".join(self.schema.model_fields)
                raise ConfigError(f"{type(self).__name__} has no parameter {name!r}; it has {known}")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __repr__(self) -> str:
        fields = self.schema.model_fields
        changed = {n: getattr(self, n) for n, field in fields.items() if getattr(self, n) != field.default}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def _require_fit(self) -> None:
        if not self.__sklearn_is_fitted__():
            name = type(self).__name__
            raise NotFittedError(f"this {name} has not learned anything yet; call fit(table) first")


def validate(schema: type[Config], params: dict[str, Any], saved: bool = False) -> Config:
    """The checked settings.

    Args:
        schema: of the settings.
        params: by name.
        saved: whether they are those of a model that was saved: what an earlier version took is taken then.

    Raises:
        ConfigError: one line that names each wrong setting.
    """
    try:
        return schema.model_validate(params, context=SAVED if saved else None)
    except ValidationError as error:
        problems = []
        for item in error.errors():
            name = ".".join(str(part) for part in item["loc"][:1])
            text = item["msg"].removeprefix("Value error, ")
            given = f", not {item['input']!r}" if name and not isinstance(item["input"], dict) else ""
            problems.append(f"{name}: {text}{given}" if name else text)
        raise ConfigError("; ".join(dict.fromkeys(problems))) from None
