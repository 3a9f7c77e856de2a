"""What the commands share: where the gateway is, how it is asked, and what becomes of a refusal or a warning."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from doorward.cli.shown import plain
from doorward.client.admin import Admin, AdminError

F = TypeVar("F", bound=Callable[..., Any])

INCOMPLETE = 3
"""Exit code of a change that holds, though not all of it went as it should."""


def config_option(command: F) -> F:
    """`--config`: the document, by default `doorward.yaml` here."""
    option = click.option(
        "--config",
        "-c",
        type=click.Path(path_type=Path, dir_okay=False),
        default=Path("doorward.yaml"),
        envvar="DOORWARD_CONFIG",
        show_default=True,
        help="The configuration file.",
    )
    return option(command)


def socket_option(command: F) -> F:
    """`--socket`: the control socket of a running gateway."""
    option = click.option(
        "--socket",
        "admin",
        default="state/control.sock",
        envvar="DOORWARD_SOCKET",
        show_default=True,
        help="The control socket of the running gateway, in its state directory.",
        callback=lambda ctx, param, value: Admin(Path(value)),
    )
    return option(command)


def json_option(command: F) -> F:
    """`--json`: machine-readable output."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def asked(question: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """The answer of the admin API, or a clean exit with its message and every problem."""
    try:
        return question()
    except AdminError as error:
        raise click.ClickException("\n".join(plain(line) for line in (str(error), *error.problems))) from error


def done(answer: Mapping[str, Any], sentence: str) -> None:
    """Says that a change holds; ends with exit code 3 where not all of it went as it should."""
    click.echo(plain(sentence))
    for warning in answer.get("warnings", ()):
        click.echo(f"! {plain(warning)}", err=True)
    if answer.get("warnings"):
        sys.exit(INCOMPLETE)


def given(**options: object) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value not in (None, "", ())}
