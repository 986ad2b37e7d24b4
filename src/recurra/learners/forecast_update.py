"""Going on with a fitted forecaster: new rows are learned by small steps, and what was learned before is kept."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from recurra.data.preparation.rows import Rows
from recurra.data.series import SeriesTable
from recurra.data.windows import WindowIndex
from recurra.learners.fitting import on_device, seeded, training_options, window_plan
from recurra.learners.schema import ForecasterConfig
from recurra.prediction import AnyPredictor, EnsemblePredictor, ForecastPredictor
from recurra.training import Trainer
from recurra.training.continued import ContinuedTask, Kept, Retention

SMALL_STEP = 0.1


def last_learned(table: SeriesTable) -> dict[str, int]:
    """The last stamp of each series, as whole numbers that JSON can keep."""
    return dict(zip(map(str, table.ids), table.last_ds.astype(np.int64).tolist(), strict=True))


def old_rows(table: SeriesTable, until: Mapping[str, int]) -> Rows:
    """Rows of each series that were learned from before, counted from its first, [series].

    Args:
        table: rows so far.
        until: last stamp learned from, by series; a series that is not there is new.
    """
    bounds = zip(table.ids, table.offsets[:-1], table.offsets[1:], strict=True)
    stamps = table.ds.astype(np.int64)
    counts = [
        int(np.searchsorted(stamps[begin:end], until[str(name)], side="right")) if str(name) in until else 0
        for name, begin, end in bounds
    ]
    return np.array(counts, dtype=np.int64)


def update_predictor(
    predictor: AnyPredictor, table: SeriesTable, old: Rows, config: ForecasterConfig, how: Mapping[str, Any]
) -> tuple[AnyPredictor, list[Kept]]:
    """The predictor with weights that have learned from new rows; its preparation stays as it was fitted.

    Args:
        predictor: fitted; it is left as it is.
        table: rows so far.
        old: how many of each series were learned from before.
        config: the settings.
        how: epochs, learning_rate and retention.
    """
    if isinstance(predictor, EnsemblePredictor):
        members, kept = [], []
        for i, member in enumerate(predictor.members):
            own = config.model_copy(update={"seed": config.seed + i})
            updated, one = _update_one(member, table, old, own, how)
            members.append(updated)
            kept.append(one)
        return EnsemblePredictor(members), kept
    updated, one = _update_one(predictor, table, old, config, how)
    return updated, [one]


def _update_one(
    predictor: ForecastPredictor, table: SeriesTable, old: Rows, config: ForecasterConfig, how: Mapping[str, Any]
) -> tuple[ForecastPredictor, Kept]:
    preparation = predictor.preparation
    network = on_device(copy.deepcopy(predictor.network).float(), config.device)
    plan = window_plan(preparation.spec, config, how["context"])
    windows = WindowIndex(table, plan.context, 1, preparation.spec.horizon)
    retention: Retention = how["retention"]
    task = ContinuedTask(network, preparation.rows(table), windows, plan, old, retention)
    before = task.losses()
    rate = how["learning_rate"] or SMALL_STEP * config.learning_rate
    options = replace(
        training_options(config),
        max_epochs=how["epochs"],
        patience=how["epochs"],
        learning_rate=rate,
        weight_decay=0.0,
        max_seconds=None,
        keep="last",
    )
    with seeded(config):
        Trainer(network, task, options).run()
    kept = task.keep(before)
    return predictor.with_network(network), kept
