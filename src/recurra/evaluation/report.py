"""The report of a backtest: scores of the network beside the naive rules, and a verdict in words."""

import math
from collections import Counter
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from recurra.data.frames import to_native
from recurra.data.readers import TableKind
from recurra.errors import ConfigError
from recurra.evaluation._plain import plain
from recurra.evaluation._words import aligned, number, percent, verdict_sentence
from recurra.evaluation.scores import ENOUGH_BLOCKS, Comparison, Scores, compare, score_windows
from recurra.evaluation.windows import WindowErrors

NETWORK = "network"
SHOWN_SERIES = 12


@dataclass(frozen=True)
class BacktestReport:
    """How the network forecast rows it had not seen, beside the naive rules, on the same windows.

    * Every target counts once, in every table; a missing target in none. Where folds overlap, which the backtest was
      told to allow, a target counts once a fold, and the report says so.
    * The point forecast of each forecaster is its median.
    * The best naive rule is the one with the lowest overall MAE on these very windows: chosen with hindsight, which is
      the strictest comparison for the network. Skill, per series too, is measured against this one rule.

    Attributes:
        names: the forecasters, the network first.
        windows: what each of them missed by in every window (series x fold).
        horizon: steps ahead.
        stride: rows between two origins.
        folds: how many origins.
        levels: quantile levels scored.
        season: rows in one season, for MASE.
        refit: network and rules learned anew at every so many folds; 0 for once, before the first.
        kind: the kind of table that `to_table` gives back by default.
        left_out: series that could not be scored in any fold: too few rows, or no known target before an origin or
            after it.
        window: "expanding", or "sliding" where each fold learned from as many rows.
        notes: what else the forecaster has to say of how its last fit was made.
    """

    names: tuple[str, ...]
    windows: tuple[WindowErrors, ...]
    horizon: int
    stride: int
    folds: int
    levels: tuple[float, ...]
    season: int
    refit: int
    kind: TableKind
    left_out: tuple[str | int, ...] = ()
    window: str = "expanding"
    notes: tuple[str, ...] = ()

    @cached_property
    def comparison(self) -> Comparison:
        """The network beside the best naive rule, by MAE, over all windows."""
        return compare(self.windows, self.names, "MAE")

    @cached_property
    def comparison_scaled(self) -> Comparison:
        """The same by MASE, where large series weigh no more than small ones; the best rule by MASE."""
        return compare(self.windows, self.names, "MASE")

    @property
    def best_rule(self) -> str:
        """The naive rule with the lowest overall MAE on these windows."""
        return self.comparison.rule

    @cached_property
    def overall(self) -> dict[str, Scores]:
        """Scores of each forecaster over all windows."""
        return score_windows(self.windows, self.names, self.names.index(self.best_rule))

    @cached_property
    def by_series(self) -> dict[str | int, dict[str, Scores]]:
        """Scores of each forecaster, for each series."""
        best = self.names.index(self.best_rule)
        return {series_id: score_windows(part, self.names, best) for series_id, part in self._parts().items()}

    @cached_property
    def series_comparisons(self) -> dict[str | int, Comparison]:
        """The network beside the best rule in each series by itself, over its folds."""
        best = self.names.index(self.best_rule)
        return {series_id: compare(part, self.names, "MAE", best, 1_000) for series_id, part in self._parts().items()}

    @cached_property
    def mae_by_step(self) -> dict[str, list[float]]:
        """MAE of each forecaster at each step ahead, from 1 to the horizon."""
        errors = np.stack([window.by_step for window in self.windows])
        known = ~np.isnan(errors)
        count = known.sum(axis=0)
        means = np.divide(
            np.where(known, errors, 0.0).sum(axis=0), count, out=np.full(count.shape, np.nan), where=count > 0
        )
        return {name: means[place].tolist() for place, name in enumerate(self.names)}

    @property
    def interval_share(self) -> float:
        """What the outermost interval claims to cover: 0.9 for levels from 0.05 to 0.95."""
        return self.levels[-1] - self.levels[0]

    @property
    def sentence(self) -> str:
        """In words: is the network better than the best naive rule? If the scale-free MASE disagrees, that too."""
        text = verdict_sentence(self.comparison)
        scaled = self.comparison_scaled
        several = len(self._parts()) > 1 and not math.isnan(scaled.network)
        if several and scaled.verdict != self.comparison.verdict:
            text += " Scaled, so that every series weighs alike: " + verdict_sentence(scaled, "the network")
        return text

    def sentence_for(self, series_id: str | int) -> str:
        """The verdict for one series by itself.

        Raises:
            ConfigError: if the series has no window in this report.
        """
        if series_id not in self.series_comparisons:
            raise ConfigError(f"series {series_id!r} has no scored window; see report.by_series for those that have")
        return verdict_sentence(self.series_comparisons[series_id])

    def to_table(self, kind: TableKind | None = None) -> Any:
        """All scores as one table: a row per forecaster overall, then a row per series and forecaster.

        Args:
            kind: "pandas", "polars", "pyarrow" or "columns"; None gives the kind the backtest was handed.

        Returns:
            A table with columns scope ("overall" or "series"), unique_id (text; empty overall), forecaster, n, mae,
            rmse, smape, mase, quantile_loss, coverage, skill.
        """
        rows = [("overall", "", name, scores) for name, scores in self.overall.items()]
        rows += [
            ("series", str(i), name, scores) for i, part in self.by_series.items() for name, scores in part.items()
        ]
        texts = {"scope": 0, "unique_id": 1, "forecaster": 2}
        columns = {name: np.array([row[place] for row in rows], dtype=object) for name, place in texts.items()}
        columns |= {field.name: np.array([getattr(row[3], field.name) for row in rows]) for field in fields(Scores)}
        return to_native(columns, kind or self.kind)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON; unknown values are None."""
        described: dict[str, Any] = {
            "sentence": self.sentence,
            "verdict": self.comparison.verdict,
            "best_rule": self.best_rule,
            "settings": {
                "horizon": self.horizon,
                "folds": self.folds,
                "stride": self.stride,
                "season": self.season,
                "refit": self.refit,
                "window": self.window,
                "overlapping": self.overlapping,
                "levels": list(self.levels),
            },
            "comparison": asdict(self.comparison),
            "comparison_scaled": asdict(self.comparison_scaled),
            "overall": {name: asdict(scores) for name, scores in self.overall.items()},
            "mae_by_step": self.mae_by_step,
            "by_series": {
                str(series_id): {name: asdict(scores) for name, scores in part.items()}
                for series_id, part in self.by_series.items()
            },
            "left_out": [str(series_id) for series_id in self.left_out],
            "notes": list(self.notes),
            "windows": [
                {
                    "unique_id": str(window.series_id),
                    "fold": window.fold,
                    "origin": window.origin,
                    "n": window.known,
                    "mae": dict(
                        zip(self.names, (window.sums["absolute"] / max(window.known, 1)).tolist(), strict=True)
                    ),
                }
                for window in self.windows
            ],
        }
        described_plainly: dict[str, Any] = plain(described)
        return described_plainly

    def __str__(self) -> str:
        """The table of scores with the verdict below it."""
        learned = self._learning()
        n = self.overall[NETWORK].n
        title = (
            f"Backtest: {_count(len(self._parts()), 'series', 'series')}, {_count(self.folds, 'fold')} of "
            f"{_count(self.horizon, 'step')}, {_count(n, 'target')} scored, {learned}"
        )
        header = [
            "",
            "MAE",
            "RMSE",
            "sMAPE %",
            "MASE",
            "quantile loss",
            f"in {100 * self.interval_share:.3g} %",
            "skill",
        ]
        rows = []
        if self.overlapping:
            title += f"\nFolds overlap: a target is scored up to {-(-self.horizon // self.stride)} times"
        for name, s in self.overall.items():
            shown = f"{name} *" if name == self.best_rule else name
            figures = [number(s.mae), number(s.rmse), number(s.smape), number(s.mase), number(s.quantile_loss)]
            rows.append([shown, *figures, percent(s.coverage), percent(s.skill, sign=True)])
        parts = [title, "", aligned(header, rows), "* the best naive rule by MAE on these targets", ""]
        if self.left_out:
            some = ", ".join(map(str, self.left_out[:5])) + (", ..." if len(self.left_out) > 5 else "")
            parts[-1:] = [
                f"Not scored, for want of known rows: {_count(len(self.left_out), 'series', 'series')} ({some})",
                "",
            ]
        return "\n".join([*parts, *self._series_lines(), *self.notes, self.sentence])

    @property
    def overlapping(self) -> bool:
        """Whether some targets are scored in several folds."""
        return self.folds > 1 and self.stride < self.horizon

    def _learning(self) -> str:
        if not self.refit:
            return "learning once, before the first fold"
        often = "each fold" if self.refit == 1 else f"every {self.refit} folds"
        return f"learning anew at {often}" + (" from a window that slides" if self.window == "sliding" else "")

    def _series_lines(self) -> list[str]:
        if len(self.by_series) < 2:
            return []
        if len(self.by_series) > SHOWN_SERIES:
            lower = sum(part[NETWORK].skill > 0.0 for part in self.by_series.values())
            among = len(self.by_series)
            line = f"By series: the network's MAE is lower than that of {self.best_rule} in {lower} of {among}"
            if self.folds >= ENOUGH_BLOCKS:
                verdicts = Counter(comparison.verdict for comparison in self.series_comparisons.values())
                line += "; taken one by one it is " + ", ".join(
                    f"{verdict} in {verdicts[verdict]}" for verdict in ("better", "no better", "worse")
                )
            return [f"{line}.", ""]
        header = ["series (MAE)", NETWORK, self.best_rule, "skill"]
        rows = []
        for series_id, part in self.by_series.items():
            figures = [number(part[NETWORK].mae), number(part[self.best_rule].mae)]
            rows.append([str(series_id), *figures, percent(part[NETWORK].skill, sign=True)])
        if self.folds >= ENOUGH_BLOCKS:
            header.append("verdict")
            rows = [
                [*row, self.series_comparisons[series_id].verdict]
                for row, series_id in zip(rows, self.by_series, strict=True)
            ]
        return [aligned(header, rows), ""]

    def _parts(self) -> dict[str | int, list[WindowErrors]]:
        parts: dict[str | int, list[WindowErrors]] = {}
        for window in self.windows:
            parts.setdefault(window.series_id, []).append(window)
        return parts


def _count(n: int, noun: str, plural: str | None = None) -> str:
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
