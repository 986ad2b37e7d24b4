"""Draw docs/unrolled.svg and docs/readings.svg: a recurrent layer unrolled in time, and the ways to read it.

python docs/draw_unrolled.py        writes both files; the same bytes every time
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
INK, QUIET, CELL, INPUT, OUTPUT, BACK = "#1f2933", "#7b8794", "#dbeafe", "#fef3c7", "#dcfce7", "#b91c1c"
STYLE = (
    f"text {{ fill: {INK}; font-family: 'STIX Two Text', 'Times New Roman', Times, serif; text-anchor: middle }} "
    ".m { font-style: italic } .s { font-family: Helvetica, Arial, 'DejaVu Sans', sans-serif }"
)


def words(x: float, y: float, text: str, size: int = 17, color: str = INK, plain: bool = False) -> str:
    """Text centred at x on the baseline y; `_x` sets x as a subscript, a letter before it in italics."""
    kind = "s" if plain else "m"
    made = (
        text
        if plain
        else re.sub(r"_(\w)", r'<tspan dy="4" font-size="70%">\1</tspan><tspan dy="-4">&#8203;</tspan>', text)
    )
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" font-size="{size}" style="fill:{color}">{made}</text>'


def box(x: float, y: float, width: float, height: float, fill: str, round_by: float = 8) -> str:
    """A rectangle centred at (x, y)."""
    left, top = x - width / 2, y - height / 2
    shape = f'x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="{round_by:g}"'
    return f'<rect {shape} fill="{fill}" stroke="{INK}" stroke-width="1.5"/>'


def arrow(points: Sequence[tuple[float, float]], color: str = INK, dashed: bool = False) -> str:
    """A line through points, with a head at its end."""
    path = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    head = "back" if color == BACK else "head"
    return f'<path d="{path}" fill="none" stroke="{color}" stroke-width="1.6"{dash} marker-end="url(#{head})"/>'


def picture(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    """A whole SVG file."""
    heads = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="5.5" markerHeight="5.5" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="{color}"/></marker>'
        for name, color in (("head", INK), ("back", BACK))
    )
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{title}</title>'
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join([start, f"<style>{STYLE}</style><defs>{heads}</defs>", ground, *parts, "</svg>", ""])


def folded(x: float, y: float) -> list[str]:
    """The layer as it is: one box whose output comes back one step later."""
    return [
        words(x, 40, "the layer", 15, QUIET, plain=True),
        box(x, y, 96, 56, CELL),
        words(x, y + 6, "φ", 22),
        arrow([(x, y + 92), (x, y + 30)]),
        words(x + 20, y + 64, "W_x"),
        box(x, y + 112, 64, 36, INPUT),
        words(x, y + 118, "X(t)"),
        arrow([(x, y - 28), (x, y - 76)]),
        box(x, y - 95, 64, 36, OUTPUT),
        words(x, y - 89, "Y(t)"),
        arrow([(x, y - 50), (x + 84, y - 50), (x + 84, y), (x + 50, y)]),
        words(x + 104, y - 18, "W_y"),
        words(x + 100, y + 26, "one step later", 12, QUIET, plain=True),
        words(x - 84, y + 6, "b"),
        arrow([(x - 74, y), (x - 50, y)]),
    ]


def step(x: float, y: float, time: str) -> list[str]:
    """One copy of the layer, at one time."""
    return [
        box(x, y, 76, 56, CELL),
        words(x, y + 6, "φ", 22),
        arrow([(x, y + 92), (x, y + 30)]),
        words(x + 20, y + 64, "W_x"),
        box(x, y + 112, 76, 36, INPUT),
        words(x, y + 118, f"X({time})"),
        arrow([(x, y - 28), (x, y - 76)]),
        box(x, y - 95, 76, 36, OUTPUT),
        words(x, y - 89, f"Y({time})"),
    ]


def unrolled() -> str:
    """The layer beside its copies in time, which share W_x, W_y and b; the gradient runs the other way."""
    y, first, apart = 180, 450, 145
    parts = [*folded(120, y), words(296, y + 10, "=", 34)]
    times = ["0", "1", "2", "T−1"]
    places = [first, first + apart, first + 2 * apart, first + 3 * apart + 65]
    parts.append(words((places[0] + places[-1]) / 2, 40, "the same layer, unrolled in time", 15, QUIET, plain=True))
    for x, time in zip(places, times, strict=True):
        parts += step(x, y, time)
    parts += [words(first - 90, y + 6, "0"), arrow([(first - 80, y), (first - 40, y)])]
    for before, after in pairwise(places[:3]):
        parts += [arrow([(before + 38, y), (after - 40, y)]), words((before + after) / 2, y - 9, "W_y")]
    middle = (places[2] + places[3]) / 2
    parts += [
        arrow([(places[2] + 38, y), (middle - 22, y)]),
        words(middle - 47, y - 9, "W_y"),
        words(middle, y + 5, "…", 24),
        arrow([(middle + 22, y), (places[3] - 40, y)]),
        words(middle + 40, y - 9, "W_y"),
    ]
    low = y + 17
    pairs = [(places[1], places[0]), (places[2], places[1])]
    parts += [arrow([(start - 40, low), (end + 40, low)], BACK, dashed=True) for start, end in pairs]
    parts += [
        arrow([(places[3] - 40, low), (middle + 20, low)], BACK, dashed=True),
        arrow([(middle - 20, low), (places[2] + 40, low)], BACK, dashed=True),
        words(first + apart / 2, low + 19, "gradient", 12, BACK, plain=True),
    ]
    note = "W_x, W_y and b are the same at every step"
    parts.append(words((places[0] + places[-1]) / 2, y + 158, note, 16, QUIET))
    return picture(1000, 355, "A recurrent layer, and the same layer unrolled in time", parts)


def chain(x: float, inputs: Sequence[bool], outputs: Sequence[bool], title: str, split: int | None = None) -> list[str]:
    """A small unrolled network that takes some inputs and gives some outputs."""
    y, apart = 130, 46
    parts = [words(x + apart * (len(inputs) - 1) / 2, 34, title, 15, INK, plain=True)]
    for at, (takes, gives) in enumerate(zip(inputs, outputs, strict=True)):
        place = x + at * apart
        parts.append(box(place, y, 28, 28, CELL, 5))
        if takes:
            parts += [box(place, y + 56, 22, 22, INPUT, 5), arrow([(place, y + 45), (place, y + 16)])]
        if gives:
            parts += [box(place, y - 56, 22, 22, OUTPUT, 5), arrow([(place, y - 14), (place, y - 43)])]
        if at:
            parts.append(arrow([(place - apart + 14, y), (place - 16, y)]))
    if split is not None:
        middle = x + (split - 0.5) * apart
        parts.append(f'<path d="M{middle:g} 62 L{middle:g} 198" stroke="{QUIET}" stroke-dasharray="3 4"/>')
        parts += [words(x + (split - 1) * apart / 2, 226, "encoder", 12, QUIET, plain=True)]
        right = x + (split + len(inputs) - 1) * apart / 2
        parts += [words(right, 226, "decoder", 12, QUIET, plain=True)]
    return parts


def readings() -> str:
    """Four ways to feed and to read the same layer."""
    yes, no = True, False
    parts = [
        *chain(50, [yes] * 4, [yes] * 4, "sequence to sequence"),
        *chain(270, [yes] * 4, [no, no, no, yes], "sequence to vector"),
        *chain(490, [yes, no, no, no], [yes] * 4, "vector to sequence"),
        *chain(708, [yes, yes, yes, no, no], [no, no, no, yes, yes], "encoder and decoder", split=3),
    ]
    return picture(940, 240, "Four ways to read a recurrent layer", parts)


PICTURES = {"unrolled.svg": unrolled, "readings.svg": readings}


if __name__ == "__main__":
    for name, draw in PICTURES.items():
        (FOLDER / name).write_bytes(draw().encode())
