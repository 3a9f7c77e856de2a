"""The page of the commands, written anew: `python -m tests.cli.published`."""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from doorward.cli.main import COMMANDS, main

PAGE = Path("docs/cli.md")
SHARED = frozenset({"--socket", "--url", "--json", "--config"})
"""Told once, at the top of the page."""
BEGIN, END = "<!-- commands: written by tests/cli/published.py -->\n", "<!-- end of commands -->\n"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its words, in the order of the table."""
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        yield from _leaves(name, command)


def page_text(page: str) -> str:
    """The page with its commands written anew between the two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    sections = "\n".join(_section(words, command) for words, command in commands())
    return f"{before}{BEGIN}\n{sections}\n{END}{after}"


def _leaves(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _leaves(f"{words} {name}", inner)
    else:
        yield words, command


def _section(words: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"doorward {words}")
    usage = " ".join([f"doorward {words}", *command.collect_usage_pieces(context)])
    text = inspect.cleandoc(command.help or "").replace("\n", " ").replace("  ", "\n\n")
    options = [_option(option, context) for option in command.params if isinstance(option, click.Option) and not SHARED & set(option.opts)]
    return "\n".join([f"### `{usage}`", "", text, *([""] if options else []), *options, ""])


def _option(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None
    names, text = record
    return f"- `{names}`: {' '.join(text.split())}"


def write(root: Path) -> int:
    """Writes the page."""
    page = root / PAGE
    page.write_text(page_text(page.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(write(Path.cwd()))
