"""The page of `make bench-scale`: what was measured beside what was promised, and what was missed first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.scale.figures import AtLeast, AtMost, Chapter, Figure, Series

INTRODUCTION = """\
# Growth

Written by `make bench-scale`; nothing here is edited by hand. What Doorward costs must not depend on how much of everything there is:
agents, tools, policies, receipts, sessions, open streams. Figures in µs are processor time of this machine; what counts is how they change
along a row. Calls that the interpreter makes can be counted, and are the same on every machine.
"""


def page(chapters: Sequence[Chapter], machine: Mapping[str, str], date: str) -> str:
    """docs/growth.md; `date` as year, month and day."""
    return "\n".join(
        [INTRODUCTION, *_summary(chapters), *(line for chapter in chapters for line in _chapter(chapter)), *_machine(machine, date)]
    )


def _summary(chapters: Sequence[Chapter]) -> Iterator[str]:
    bound = sum(1 for chapter in chapters for one in chapter.figures if one.bound is not None)
    bound += sum(1 for chapter in chapters for one in chapter.series if one.most_growth is not None)
    missed = [f"{chapter.title}: {name}" for chapter in chapters for name in chapter.missed]
    told = f" Missed: {'; '.join(missed)}." if missed else ""
    yield f"{bound - len(missed)} of {bound} bounds are kept.{told}\n"


def _chapter(chapter: Chapter) -> Iterator[str]:
    yield f"## {chapter.title}\n\n{chapter.text}\n"
    if chapter.series:
        head = ["", *chapter.steps, "last / first", "bound"]
        yield from table(head, [_steps(series) for series in chapter.series])
    if chapter.figures:
        yield from table(["", "measured", "bound", ""], [_line(figure) for figure in chapter.figures])


def _steps(series: Series) -> list[str]:
    bound = "" if series.most_growth is None else f"≤ {series.most_growth:g}{'' if series.is_kept else ' **missed**'}"
    return [f"{series.name}, {series.unit}", *[number(value) for value in series.values], f"{series.growth:.2f}", bound]


def _line(figure: Figure) -> list[str]:
    kept = "" if figure.bound is None else "kept" if figure.is_kept else "**missed**"
    return [f"{figure.name}, {figure.unit}", number(figure.value), _bound(figure.bound), kept]


def _bound(bound: AtMost | AtLeast | None) -> str:
    match bound:
        case AtMost(value):
            return f"≤ {number(value)}"
        case AtLeast(value):
            return f"≥ {number(value)}"
        case None:
            return ""


def _machine(machine: Mapping[str, str], date: str) -> Iterator[str]:
    yield "## The machine\n"
    yield from table(["", ""], [["Date", date], *[[name, value] for name, value in machine.items()]])


def number(value: float) -> str:
    """Three digits that count, or all of a greater one."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table of Markdown: the first column is text, the others are numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return [*[f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)], ""]
