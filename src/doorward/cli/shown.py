"""How answers are printed: JSON, tables and trees; text from outside never acts on the terminal, and numbers keep their digits."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import click

from doorward.catalog.text import visible

_INDENT = "  "
_LONGEST_CELL = 100


class Number(str):
    """A number as its text."""

    __slots__ = ()


def plain(text: object) -> str:
    """Text on one line, with every character that cannot be seen, or acts on the screen, made visible."""
    return visible("" if text is None else str(text)).replace("\n", "⟨U+000A⟩")


def show_text(text: str) -> None:
    """Prints lines, with every character that cannot be seen made visible."""
    click.echo(visible(text))


def show_json(value: object) -> None:
    """Prints a value as indented JSON in ASCII."""
    click.echo(json.dumps(value, indent=2))


def show_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints rows under heads, columns aligned; long cells are cut."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    widths = [max(len(head), *(len(row[i]) for row in cells)) if cells else len(head) for i, head in enumerate(heads)]
    for line in ([head.upper() for head in heads], *cells):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def show_tree(value: object, depth: int = 0) -> None:
    """Prints a JSON value whole, a field a line."""
    for line in _lines(value):
        click.echo(_INDENT * depth + line)


def show_json_text(text: str, depth: int = 0) -> None:
    """Prints JSON text whole, a field a line, numbers as they are written; what is no JSON (cut, perhaps) as it is."""
    try:
        value = json.loads(text, parse_int=Number, parse_float=Number)
    except (ValueError, RecursionError):
        click.echo(_INDENT * depth + plain(text))
        return
    show_tree(value, depth)


def minute(seconds: object) -> str:
    """A moment to the minute, in UTC; `never` for none."""
    if not isinstance(seconds, int | float):
        return "never"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def short(digest: str | None) -> str:
    """The beginning of a digest."""
    return (digest or "")[:12]


def _cell(cell: object) -> str:
    text = plain(cell)
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


def _lines(value: object) -> Iterator[str]:
    match value:
        case Mapping() if value:
            for key, inner in value.items():
                yield from _member(f"{plain(key)}:", inner)
        case list() | tuple() if value:
            for inner in value:
                yield from _member("-", inner)
        case _:
            yield _scalar(value)


def _member(head: str, value: object) -> Iterator[str]:
    if isinstance(value, Mapping | list | tuple) and value:
        yield head
        for line in _lines(value):
            yield _INDENT + line
        return
    yield f"{head} {_scalar(value)}"


def _scalar(value: object) -> str:
    """A text stands in quotes, so that nothing in it passes for something else."""
    match value:
        case Number():
            return plain(value)
        case str():
            return plain(json.dumps(value, ensure_ascii=False))
        case _:
            return json.dumps(value)
