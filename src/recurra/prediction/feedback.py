"""Forecasts fed back: many possible paths of each series, each of which goes on from its own values."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from recurra.data.preparation import Origins, PreparedRows, StreamedRows
from recurra.data.preparation.reference import Array
from recurra.data.preparation.rows import Rows
from recurra.data.preparation.units import to_model_units
from recurra.data.targets import split_id
from recurra.errors import ConfigError
from recurra.models.forecast import State, select_state, zero_state_like
from recurra.prediction.answers import Answer
from recurra.prediction.copula import Copula

if TYPE_CHECKING:
    from recurra.data.series import SeriesTable
    from recurra.prediction.forecast import ForecastPredictor

PATHS, MOST_PATHS = 200, 20_000
"""Paths behind the quantiles of steps that are forecast by feeding back; as many as levels far out need at most."""
STREAMS_AT_ONCE = 40_000


@dataclass(frozen=True)
class Start:
    """Where paths set out from: what is carried after some rows, one of them for each place.

    Args:
        rows: what the preparation carries.
        state: what the network carries, [layers, n, hidden].
    """

    rows: StreamedRows
    state: State

    def select(self, places: Rows) -> "Start":
        """Some of the places."""
        return Start(self.rows.select(places), select_state(self.state, torch.from_numpy(places)))


def start_after(predictor: "ForecastPredictor", table: "SeriesTable") -> Start:
    """What is carried after the last row of each series of a table."""
    rows = StreamedRows.after(predictor.preparation, table)
    return Start(rows, predictor.last_state(table))


def start_at(predictor: "ForecastPredictor", table: "SeriesTable", rows: Rows) -> Start:
    """What is carried after each of some rows of a table, in one run over its series.

    Args:
        predictor: the trained model.
        table: the rows.
        rows: some of them; with several targets, as `with_kin` gives them.
    """
    prepared = predictor.preparation.rows(table)
    lengths, network = np.diff(prepared.offsets), predictor.network
    owner, number = prepared.owner[rows], rows - prepared.offsets[prepared.owner[rows]]
    state = zero_state_like(network, len(lengths))
    kept = [part.new_zeros(part.shape[0], len(rows), part.shape[2]) for part in parts_of(state)]
    with torch.inference_mode():
        for t in range(int(number.max(initial=-1)) + 1):
            here = np.flatnonzero(lengths > t)
            x = torch.from_numpy(prepared.inputs(prepared.offsets[:-1][here] + t))
            places = torch.from_numpy(here)
            _, after = network.step(x, select_state(state, places))
            for part, new in zip(parts_of(state), parts_of(after), strict=True):
                part[:, places] = new
            wanted = np.flatnonzero(number == t)
            for part, mine in zip(parts_of(state), kept, strict=True):
                mine[:, torch.from_numpy(wanted)] = part[:, torch.from_numpy(owner[wanted])]
    state = (kept[0], kept[1]) if len(kept) == 2 else kept[0]
    return Start(StreamedRows.at(predictor.preparation, table, rows), state)


def with_kin(prepared: PreparedRows, rows: Rows) -> tuple[Rows, Rows]:
    """The rows with those of the other targets of their series at the same time, which they are fed back together with.

    Args:
        prepared: the table.
        rows: some of its rows, [n].

    Returns:
        All these rows, kin next to each other, and the place among them of each of `rows`, [n].
    """
    if prepared.peers is None:
        return rows, np.arange(len(rows))
    owner, lengths = prepared.owner[rows], np.diff(prepared.offsets)
    kin, number = prepared.peers[owner], rows - prepared.offsets[owner]
    first = np.where(kin >= 0, kin, len(lengths)).min(axis=1, initial=len(lengths))
    moments, moment = np.unique(np.stack([first, number], axis=1), axis=0, return_inverse=True)
    members, at = prepared.peers[moments[:, 0]], moments[:, 1:]
    there = (members >= 0) & (at < lengths[members])
    place = np.cumsum(there).reshape(there.shape) - 1
    own = np.argmax(kin == owner[:, None], axis=1)
    return (prepared.offsets[members] + at)[there], place[moment.reshape(-1), own]


def parts_of(state: State) -> tuple[torch.Tensor, ...]:
    """The tensors of a state."""
    return state if isinstance(state, tuple) else (state,)


def paths_ahead(predictor: "ForecastPredictor", start: Start, known: Array, ranks: Array) -> Array:
    """Possible paths of each place, in the units of the series.

    The network forecasts its own horizon; each path takes the values at its ranks, is shown them one by one as if they
    had been observed, and is forecast on from there, until all steps are there.

    Args:
        predictor: the trained model.
        start: where the paths set out from, n places.
        known: what is known in advance of the steps ahead, [n, steps, K].
        ranks: strictly between 0 and 1, [paths, steps] for all places alike, or [n, paths, steps].

    Returns:
        [n, paths, steps].

    Raises:
        ConfigError: if the model would have to feed back and has past covariates, for nobody knows theirs.
    """
    n, steps, n_paths = known.shape[0], known.shape[1], ranks.shape[-2]
    if steps > predictor.shape.horizon and predictor.preparation.spec.past:
        raise ConfigError(
            f"{steps} steps are more than the {predictor.shape.horizon} that the network forecasts at once, and past "
            "covariates of the steps between are not known; fit with a longer horizon, or without past_covariates"
        )
    wide = np.broadcast_to(ranks, (n, n_paths, steps))
    blocks = _blocks(start.rows.peers, max(1, STREAMS_AT_ONCE // n_paths))
    found = [_paths(predictor, start.select(block), known[block], wide[block]) for block in blocks]
    return np.concatenate([np.zeros((0, n_paths, steps)), *found])


def _blocks(peers: Rows, at_once: int) -> list[Rows]:
    """Places in blocks of about so many, in their order; kin, which advance together, are not parted."""
    n = len(peers)
    last = np.maximum.accumulate(np.maximum(np.arange(n), peers.max(axis=1, initial=-1)))
    ends = np.flatnonzero(last == np.arange(n)) + 1
    blocks, begin = [], 0
    for end, later in zip(ends, [*ends[1:], None], strict=True):
        if later is None or later - begin > at_once:
            blocks.append(np.arange(begin, end))
            begin = int(end)
    return blocks


@torch.inference_mode()
def _paths(predictor: "ForecastPredictor", start: Start, known: Array, ranks: Array) -> Array:
    n, n_paths, steps = ranks.shape
    horizon, network = predictor.shape.horizon, predictor.network
    rows, everyone = start.rows.repeated(n_paths), np.arange(n * n_paths)
    state = select_state(start.state, torch.arange(n).repeat_interleave(n_paths))
    known, ranks = np.repeat(known, n_paths, axis=0), ranks.reshape(n * n_paths, steps)
    own = rows.own_inputs()
    values = np.zeros((n * n_paths, steps))
    for begin in range(0, steps, horizon):
        end = min(begin + horizon, steps)
        h = parts_of(state)[0][-1]
        distribution = predictor.distribution(h, rows.origins(everyone), known[:, begin:end])
        u = np.full((n * n_paths, horizon), 0.5)
        u[:, : end - begin] = ranks[:, begin:end]
        drawn = distribution.quantile_at(torch.from_numpy(u)).numpy()[:, : end - begin]
        values[:, begin:end] = np.rint(drawn) if network.output.whole else drawn
        for k in range(begin, end if end < steps else begin):
            x, _ = rows.advance(everyone, values[:, k], own, known[:, k])
            _, state = network.step(torch.from_numpy(x), state)
    return values.reshape(n, n_paths, steps)


def answer_beyond(
    predictor: "ForecastPredictor", h: torch.Tensor, origins: Origins, known: Array, start: Start
) -> Answer:
    """Quantiles and means of more steps than the network forecasts at once: of paths that feed back.

    Args:
        predictor: the trained model.
        h: outputs of the network at the origins.
        origins: what may be looked at.
        known: of the steps ahead, [n, steps, K].
        start: what is carried at the origins.
    """
    said = fed_back(predictor, h, origins, known, start)
    return Answer(with_margins(predictor, said.quantiles, origins), said.mean).only(origins.begun)


def fed_back(predictor: "ForecastPredictor", h: torch.Tensor, origins: Origins, known: Array, start: Start) -> Answer:
    """As `answer_beyond`, before any margins of the steps that are fed back."""
    near, steps = predictor.shape.horizon, known.shape[1]
    first = predictor.answer(h, origins, known[:, :near])
    paths = paths_ahead(predictor, start, known, ranks_alike(predictor, steps, start.rows.ids))[:, :, near:]
    far = np.moveaxis(np.quantile(paths, predictor.shape.levels, axis=1), 0, -1)
    mean = np.concatenate([first.mean, paths.mean(axis=1)], axis=1)
    return Answer(np.concatenate([first.quantiles, far], axis=1), mean)


def with_margins(predictor: "ForecastPredictor", quantiles: Array, origins: Origins) -> Array:
    """Quantiles of steps that are fed back with their margins, as far as these reach, [n, steps, levels]."""
    if predictor.conformal is None or predictor.is_direct:
        return quantiles
    preparation, covered = predictor.preparation, min(predictor.horizon, quantiles.shape[1])
    near = to_model_units(quantiles[:, :covered], preparation.spec.scaling)
    moved = preparation.in_units(predictor.conformal.apply(near, origins.step))
    if predictor.network.output.positive:
        moved = moved.clip(0.0)
    return np.concatenate([moved, quantiles[:, covered:]], axis=1)


def ranks_alike(predictor: "ForecastPredictor", steps: int, ids: Sequence[str | int] = ()) -> Array:
    """The ranks that forecasts by feeding back are made with: the same ones always, [paths, steps].

    With several targets each target has ranks of its own, [n, paths, steps] for the places `ids`. There are so many
    that the outermost levels lie within them.

    Raises:
        ConfigError: if that were too many.
    """
    tail = min(min(level, 1.0 - level) for level in predictor.shape.levels)
    n_paths = max(PATHS, 2 * math.ceil(0.5 / tail - 1e-9))
    if n_paths > MOST_PATHS:
        raise ConfigError(
            f"a quantile within {tail:g} of 0 or 1 takes more than {MOST_PATHS} paths where steps are fed back; fit "
            "with quantiles further inside, or a horizon and decoder that reach all steps at once"
        )
    targets = predictor.preparation.spec.targets or ("",)
    each = {t: predictor.copula.draw_evenly(np.random.default_rng(i), n_paths, steps) for i, t in enumerate(targets)}
    return each[""] if "" in each else np.stack([each[split_id(name)[1]] for name in ids])


def ranks_of(copula: Copula, ids: Sequence[str | int], n_paths: int, steps: int, seed: int) -> Array:
    """Ranks of each series' own: a function of the seed and the series' name, [n, paths, steps]."""
    draws = [np.random.default_rng([seed, zlib.crc32(str(name).encode())]) for name in ids]
    each = [copula.draw(random, n_paths, steps) for random in draws]
    return np.stack(each) if each else cast("Array", np.zeros((0, n_paths, steps)))
