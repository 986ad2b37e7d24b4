"""The learners under other libraries' conventions, each with its own extra; imported on first use."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recurra.learners.adapters.scikit_learn import RecurrentRegressor
    from recurra.learners.adapters.sktime import RecurrentForecaster

__all__ = ["RecurrentForecaster", "RecurrentRegressor"]

_PLACES = {"RecurrentForecaster": "sktime", "RecurrentRegressor": "scikit_learn"}


def __getattr__(name: str) -> object:
    if name in _PLACES:
        return getattr(importlib.import_module(f"recurra.learners.adapters.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'recurra.learners.adapters' has no attribute {name!r}")
