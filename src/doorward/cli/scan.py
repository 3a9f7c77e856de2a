"""`doorward scan`: what a server shows, looked at before anybody is connected to it; no gateway has to run."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from doorward.app.scanning import scan_file, scan_stranger, scan_upstream
from doorward.catalog.scanned import Scanned
from doorward.cli.options import config_option, json_option
from doorward.cli.sarif import sarif
from doorward.cli.shown import plain, show_json, show_table
from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Severity

UNSEEN = 3
"""Exit code where the server could not be looked at."""


@click.command()
@click.argument("words", nargs=-1, metavar="[UPSTREAM | COMMAND...]")
@config_option
@click.option("--url", help="A server that is in no configuration, at this address; no credential is shown.")
@click.option("--stdio", is_flag=True, help="A server that is in no configuration, as a process: its command follows after `--`.")
@click.option(
    "--file", type=click.Path(path_type=Path, dir_okay=False), help="Saved definitions, as `tools/list` gives them; nothing is connected."
)
@click.option(
    "--fail-on",
    type=click.Choice(["low", "medium", "high"]),
    default="high",
    show_default=True,
    help="End with exit code 1 where a finding is at least this bad.",
)
@click.option("--sarif", "sarif_to", type=click.Path(dir_okay=False, allow_dash=True), help="Write SARIF 2.1.0 to a file, or to `-`.")
@json_option
def command(words: tuple[str, ...], as_json: bool, fail_on: str, sarif_to: str | None, **where: Any) -> None:
    """Look at a server before anybody is connected to it, and show what is found in its definitions.

    The server is an upstream of the configuration, met as it is configured there, or any other with --url, --stdio or --file. It is
    compared with what is accepted of other upstreams, where there is a configuration. Exit code 1: something high (see --fail-on);
    3: it could not be looked at.
    """
    if as_json and sarif_to == "-":
        raise click.UsageError("--json and --sarif - are two ways to write one output")
    found = _looked(_chosen(words, **where))
    if sarif_to is not None:
        _write(sarif_to, json.dumps(sarif(found.found, str(where["file"] or "")), indent=2))
    if as_json:
        show_json(_json(found))
    elif sarif_to != "-":
        _show(found)
    sys.exit(1 if found.at_least(Severity(fail_on)) else 0)


def _chosen(words: tuple[str, ...], config: Path, url: str | None, stdio: bool, file: Path | None) -> Callable[[], Scanned]:
    """The look that is meant; a usage error where it is none, or more than one."""
    ways = sum((url is not None, stdio, file is not None))
    if ways > 1 or (stdio or not ways) is not bool(words) or (not ways and len(words) != 1):
        raise click.UsageError("name one upstream, or say --url URL, --stdio -- COMMAND…, or --file FILE")
    beside = config if config.exists() else None
    if file is not None:
        return lambda: scan_file(beside, file)
    if ways:
        return lambda: scan_stranger(beside, url, words)
    return lambda: scan_upstream(config, words[0])


def _looked(look: Callable[[], Scanned]) -> Scanned:
    try:
        return look()
    except (DoorwardError, ValueError) as error:
        for line in str(error).split("\n"):
            click.echo(f"Error: {plain(line)}", err=True)
        sys.exit(UNSEEN)


def _write(place: str, text: str) -> None:
    try:
        with click.open_file(place, "w", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
    except OSError as error:
        raise click.ClickException(f"{plain(place)} cannot be written: {plain(error)}") from error


def _json(found: Scanned) -> dict[str, Any]:
    items = [
        {
            "upstream": one.key[0],
            "kind": one.key[1].value,
            "name": one.key[2],
            "rule": one.found.rule.value,
            "severity": one.found.severity.value,
            "pointer": one.found.pointer,
            "detail": one.found.detail,
        }
        for one in found.found
    ]
    return {"upstream": found.upstream, "definitions": found.definitions, "beside": found.beside, "findings": items}


def _show(found: Scanned) -> None:
    rows = [(one.found.severity, one.found.rule, one.key[1], one.key[2], one.found.pointer or "/", one.found.detail) for one in found.found]
    if rows:
        show_table(("severity", "rule", "kind", "name", "where", "what"), rows)
    counts = ", ".join(f"{sum(one.found.severity is severity for one in found.found)} {severity}" for severity in reversed(Severity))
    beside = f", beside {found.beside} accepted ones of others" if found.beside else ""
    click.echo(f"{found.upstream}: {found.definitions} definitions{beside}: {counts}", err=True)
