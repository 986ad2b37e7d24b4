"""What a fitted forecaster can do beside predicting: go on learning, and carry its streams along."""

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from recurra.data.frequency import show_stamp
from recurra.errors import ConfigError, TableError
from recurra.learners.forecast_update import last_learned, old_rows, update_predictor
from recurra.training.continued import Retention

if TYPE_CHECKING:
    from recurra.learners.forecaster import AnyStream, Forecaster

Self = TypeVar("Self", bound="ForecasterUse")


class ForecasterUse:
    """The part of `Forecaster` that works on a fitted model."""

    def update(
        self: Self,
        table: Any,
        *,
        epochs: int = 5,
        learning_rate: float | None = None,
        replay: float = 0.5,
        pull: float = 0.01,
        tolerance: float = 0.01,
    ) -> Self:
        """Go on learning from new rows, without forgetting the old ones.

        New are the rows after the last one of each series that was learned from. What stands before them in the table
        warms the state and is replayed, so hand it in as far as it is at hand. The steps are small, a pull holds the
        weights near the old ones, and if the loss on the old rows has grown by more than `tolerance` the weights go
        back half the way, and again. What was fitted once stays: encodings, the rule's weights, scales that are fixed
        (a series that is new is scaled from its own past), margins and copula. `updates_` tells how each update went;
        streams go on with the old weights until `carry`.

        Args:
            table: rows so far, as for `predict`.
            epochs: passes over the windows that reach into the new rows.
            learning_rate: step size; a tenth of the one at fit by default.
            replay: share of each batch from windows of old rows.
            pull: weight of the squared distance from the old weights.
            tolerance: share by which the loss on the old rows may grow.

        Returns:
            Itself.

        Raises:
            TableError: no row is new, or the table is wrong.
            ConfigError: a number is out of range.
        """
        model = cast("Forecaster", self)
        model._require_fit()
        numbers = {"epochs": epochs, "learning_rate": 1.0 if learning_rate is None else learning_rate}
        wrong = [name for name, value in numbers.items() if not value > 0]
        shares = {"pull": pull, "tolerance": tolerance}
        wrong += [name for name, value in shares.items() if not value >= 0]
        if wrong or not 0 <= replay < 1:
            raise ConfigError(f"{(wrong or ['replay'])[0]} is out of range: epochs and learning_rate above 0, pull and "
                              "tolerance 0 or more, replay from 0 to below 1")  # fmt: skip
        series = model._known_table(table)
        old = old_rows(series, model._learned)
        if np.all(old >= series.lengths):
            last = show_stamp(series.ds.max(), series.time_zone)
            raise TableError(f"no row (up to {last}) lies after those that were learned from; add the new ones")
        how = {
            "epochs": epochs,
            "learning_rate": learning_rate,
            "retention": Retention(replay, pull, tolerance),
            "context": model.context_,
        }
        model._predictor, kept = update_predictor(model._predictor, series, old, model._config, how)
        model._learned = {**model._learned, **last_learned(series)}
        told = {"rows": int((series.lengths - old).sum()), "networks": [one.told() for one in kept]}
        model.updates_ = [*model.updates_, told]
        model._publish()
        return self

    def has_new_rows(self, table: Any) -> bool:
        """Whether any row of a table lies after those of its series that were learned from."""
        model = cast("Forecaster", self)
        model._require_fit()
        series = model._known_table(table)
        return bool((old_rows(series, model._learned) < series.lengths).any())

    def carry(self, stream: "AnyStream") -> "AnyStream":
        """A stream of this model as it was before an update, under its present weights.

        The state is carried as it stands: it was made by the old weights, from which the new ones are not far, and
        fades as rows come in.

        Args:
            stream: made by this model; it is left as it is.

        Raises:
            StreamError: if it is another model's.
        """
        model = cast("Forecaster", self)
        model._require_fit()
        carried: AnyStream = cast("Any", stream).under(model._predictor)
        return carried
