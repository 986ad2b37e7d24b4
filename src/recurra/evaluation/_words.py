"""Numbers and verdicts in words, and aligned tables of plain text."""

import math
from collections.abc import Sequence

from recurra.evaluation.scores import ENOUGH_BLOCKS, Comparison


def number(value: float) -> str:
    """Four digits that can be read: 29,015, 4.213, 0.05871; "-" for an unknown value."""
    if math.isnan(value):
        return "-"
    if value == 0.0 or 1e-4 <= abs(value) < 1e9:
        size = abs(value)
        return f"{value:,.0f}" if size >= 1000.0 else f"{value:#.4g}".rstrip(".")
    return f"{value:.3e}"


def percent(share: float, sign: bool = False) -> str:
    """A share in percent: 0.312 is 31.2 %; with `sign` +31.2 %."""
    return "-" if math.isnan(share) else f"{100.0 * share:{'+' if sign else ''}.1f} %"


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of plain text: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = []
    for row in [header, *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("   ".join(cells).rstrip())
        if row is header:
            lines.append("-" * (sum(widths) + 3 * (len(widths) - 1)))
    return "\n".join(lines)


def verdict_sentence(comparison: Comparison, subject: str = "The network") -> str:
    """One sentence: better, no better, or worse than the best naive rule, with the figures it rests on."""
    c = comparison
    figures = f"{c.measure} {number(c.network)} against {number(c.best)}"
    ends = f"{number(c.interval.lower)} to {number(c.interval.upper)}"
    share = f"{c.interval.level:.0%}".replace("%", " %")
    rule = f"the best naive rule ({c.rule})"
    if c.interval.blocks < ENOUGH_BLOCKS:
        return (
            f"{subject} is no better than {rule} as far as {_blocks(c.interval.blocks)} can tell: {figures}; "
            f"a verdict needs at least {ENOUGH_BLOCKS} folds or series."
        )
    if c.verdict == "no better":
        return (
            f"{subject} is no better than {rule}: {figures}; the {share} interval of the difference, "
            f"{ends}, includes zero: a tie."
        )
    change = abs(1.0 - c.network / c.best) if c.best else float("nan")
    direction = "lower" if c.verdict == "better" else "higher"
    return (
        f"{subject} is {c.verdict} than {rule}: {figures}, {percent(change)} {direction}; "
        f"{share} interval of the difference {ends}."
    )


def _blocks(count: int) -> str:
    return "1 fold or series" if count == 1 else f"{count} folds or series"
