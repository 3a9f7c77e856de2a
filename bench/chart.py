"""Charts as SVG, written by hand: rows of values with their spread, on an axis that begins at nought or says that it is logarithmic. Pure.

They read in light and dark, by colour and without it, and to who cannot see them (`title` and `desc`); nothing is loaded from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, floor, log10
from xml.sax.saxutils import escape

WIDTH = 840
_LEFT, _RIGHT = 250.0, 90.0
"""Room for the names of rows, and for what is written behind the longest of them."""
_TOP, _FOOT = 64.0, 16.0
_ROW, _THICK = 26.0, 14.0
_PANEL_HEAD, _AXIS = 28.0, 34.0
_TICKS = 5


class Tone(StrEnum):
    """What sort of row it is; said by colour and, in the legend, by word."""

    OURS = "ours"
    BOUND = "bound"
    """What cannot be passed: it does none of the work."""
    OTHER = "other"


class Scale(StrEnum):
    """How far along the axis a value stands."""

    LINEAR = "linear"
    """From nought; values are bars."""
    LOGARITHMIC = "logarithmic"
    """Each tick is ten of the one before; values are dots, as a bar would have no beginning."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a value, and the least and the greatest of what was measured."""

    name: str
    value: float
    least: float
    greatest: float
    tone: Tone = Tone.OURS


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows on one axis."""

    title: str
    unit: str
    bars: Sequence[Bar]
    scale: Scale = Scale.LINEAR


@dataclass(frozen=True, slots=True)
class Axis:
    """Where values stand, from 0 to 1, and which of them are written below."""

    scale: Scale
    ticks: Sequence[float]

    def at(self, value: float) -> float:
        """The place of a value; those outside stand at the ends."""
        first, last = self.ticks[0], self.ticks[-1]
        if self.scale is Scale.LINEAR:
            return min(max(value / last, 0.0), 1.0)
        return min(max(log10(max(value, first) / first) / log10(last / first), 0.0), 1.0)


_STYLE = """\
.ground{fill:#fff;stroke:#d0d7de}.text{fill:#1f2328}.faint{fill:#59636e}.grid{stroke:#d8dee4}.spread{stroke:#1f2328}
.ours{fill:#1a63c4}.bound{fill:#8c959f}.other{fill:#c2690f}
@media(prefers-color-scheme:dark){.ground{fill:#0d1117;stroke:#3d444d}.text{fill:#f0f6fc}.faint{fill:#9198a1}.grid{stroke:#2f353d}
.spread{stroke:#f0f6fc}.ours{fill:#4a90f0}.bound{fill:#6e7681}.other{fill:#dd8f3a}}
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}.title{font-size:17px;font-weight:600}.head{font-weight:600}
.small{font-size:11px}.end{text-anchor:end}.middle{text-anchor:middle}"""


def chart(title: str, note: str, panels: Sequence[Panel], legend: Sequence[tuple[Tone, str]] = ()) -> str:
    """The whole file. `note` stands under the title: it says what was measured, and what the marks of spread are."""
    height = _TOP + sum(_height(panel) for panel in panels) + (24 if legend else 0) + _FOOT
    told = ". ".join(
        f"{panel.title} ({panel.unit}): {', '.join(f'{bar.name} {number(bar.value)}' for bar in panel.bars)}" for panel in panels
    )
    size = f'width="{WIDTH}" height="{height:g}" viewBox="0 0 {WIDTH} {height:g}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(f"{note} {told}.")}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:g}" rx="6"/>',
        _text(20, 30, title, "text title"),
        _text(20, 50, note, "faint small"),
    ]
    top = _TOP
    for panel in panels:
        lines += _panel(panel, top)
        top += _height(panel)
    lines += _legend(legend, top + 8)
    return "\n".join([*lines, "</svg>", ""])


def axis(panel: Panel) -> Axis:
    """An axis that holds every value and its spread."""
    greatest = max((max(bar.value, bar.greatest) for bar in panel.bars), default=0.0) or 1.0
    if panel.scale is Scale.LINEAR:
        step = _round_up(greatest / _TICKS)
        return Axis(panel.scale, [step * tick for tick in range(ceil(greatest / step - 1e-9) + 1)])
    least = min((min(bar.value, bar.least) for bar in panel.bars if min(bar.value, bar.least) > 0), default=greatest)
    first, last = floor(log10(least)), ceil(log10(greatest))
    return Axis(panel.scale, [10.0**tick for tick in range(first, max(last, first + 1) + 1)])


def number(value: float) -> str:
    """A value with three digits that count, and thousands set apart."""
    if value >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - floor(log10(abs(value))))}f}"


def _round_up(step: float) -> float:
    """The least of 1, 2, 2.5, 5 and 10 times a power of ten that is no less."""
    power = 10.0 ** floor(log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * (1 - 1e-9))


def _height(panel: Panel) -> float:
    return _PANEL_HEAD + _ROW * len(panel.bars) + _AXIS


def _panel(panel: Panel, top: float) -> Iterator[str]:
    found = axis(panel)
    first = top + _PANEL_HEAD
    bottom = first + _ROW * len(panel.bars)
    how = ", logarithmic" if panel.scale is Scale.LOGARITHMIC else ""
    yield _text(20, top + 16, panel.title, "text head")
    for tick in found.ticks:
        x = _x(found, tick)
        yield f'<line class="grid" x1="{x:.1f}" y1="{first - 4:g}" x2="{x:.1f}" y2="{bottom:g}"/>'
        yield _text(x, bottom + 14, _short(tick), "faint small middle")
    yield _text(_LEFT - 12, bottom + 14, f"{panel.unit}{how}", "faint small end")
    for place, bar in enumerate(panel.bars):
        yield from _bar(bar, found, first + _ROW * place + _ROW / 2)


def _bar(bar: Bar, found: Axis, middle: float) -> Iterator[str]:
    x, low, high = (_x(found, value) for value in (bar.value, bar.least, bar.greatest))
    yield _text(_LEFT - 12, middle + 4, bar.name, "text end")
    if found.scale is Scale.LINEAR:
        yield (
            f'<rect class="{bar.tone}" x="{_LEFT:g}" y="{middle - _THICK / 2:g}" width="{max(x - _LEFT, 1):.1f}" height="{_THICK:g}" rx="2"/>'
        )
    else:
        yield f'<circle class="{bar.tone}" cx="{x:.1f}" cy="{middle:g}" r="{_THICK / 2 - 1:g}"/>'
    if bar.least < bar.greatest:
        ends = "".join(f"M{end:.1f} {middle - 4:g}v8" for end in (low, high))
        yield f'<path class="spread" fill="none" stroke-width="1.5" d="M{low:.1f} {middle:g}H{high:.1f}{ends}"/>'
    yield _text(max(x, high) + 10, middle + 4, number(bar.value), "text")


def _legend(legend: Sequence[tuple[Tone, str]], top: float) -> Iterator[str]:
    x = 20.0
    for tone, name in legend:
        yield f'<rect class="{tone}" x="{x:g}" y="{top:g}" width="11" height="11" rx="2"/>'
        yield _text(x + 17, top + 10, name, "faint small")
        x += 17 + 6.2 * len(name) + 22


def _x(found: Axis, value: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * found.at(value)


def _text(x: float, y: float, text: str, look: str) -> str:
    return f'<text class="{look}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _short(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
