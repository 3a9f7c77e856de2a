"""Policy files of this machine that are sent to a gateway to be tried."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from doorward.cli.shown import plain

SUFFIX = "*.cedar"
"""What of a directory is policies."""

File = dict[str, str]


def read_candidate(words: Iterable[str], layers: Iterable[str]) -> list[File]:
    """The files that are meant: `words` for the global layer, `layers` as TEAM=FILES; each a file, a directory or a pattern.

    Raises `click.ClickException` for what leads to no file or cannot be read.
    """
    found = [(word, "") for word in words]
    for layer in layers:
        team, equals, word = layer.partition("=")
        if not equals or not team or not word:
            raise click.UsageError(f"expected TEAM=FILES, got {plain(layer)!r}")
        found.append((word, team))
    paths = dict.fromkeys((path, team) for word, team in found for path in _paths(word))
    return [{"path": str(path), "text": _text(path), "team": team} for path, team in paths]


def _paths(word: str) -> Iterator[Path]:
    given = Path(word)
    matched = [given] if given.exists() else sorted(_matches(given))
    files = [file for path in matched for file in (sorted(path.rglob(SUFFIX)) if path.is_dir() else [path])]
    if not files:
        raise click.ClickException(f"no policy file is at {plain(word)}")
    yield from (file.resolve() for file in files)


def _matches(pattern: Path) -> list[Path]:
    try:
        return list(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
    except (ValueError, NotImplementedError):
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{plain(path)} cannot be read: {plain(error)}") from error
