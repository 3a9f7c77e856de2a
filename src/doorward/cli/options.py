"""What the commands share: where the gateway is, how it is asked, and what becomes of a refusal or a warning."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from doorward.cli.shown import plain
from doorward.client.admin import Admin, AdminError, Network
from doorward.client.operator_files import OperatorFiles

F = TypeVar("F", bound=Callable[..., Any])

_URL = "doorward.url"
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
    """`--socket` and `--url`: which running gateway, and through which door."""
    over_network = click.option(
        "--url",
        envvar="DOORWARD_CONTROL_URL",
        expose_value=False,
        is_eager=True,
        help="The network door of the running gateway, such as https://doorward.example.com; sign in with doorward login first.",
        callback=_note_url,
    )
    over_socket = click.option(
        "--socket",
        "admin",
        default="state/control.sock",
        envvar="DOORWARD_SOCKET",
        show_default=True,
        help="The control socket of the running gateway, in its state directory.",
        callback=_admin,
    )
    return over_network(over_socket(command))


def origin(url: str) -> str:
    """The origin that a gateway's URL stands for; a usage error for what is none."""
    parts = urlsplit(url.strip().lower())
    if parts.scheme != "https" or not parts.netloc or "@" in parts.netloc or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise click.BadParameter(f"expected an origin such as https://doorward.example.com, got {plain(url[:200])}")
    return f"https://{parts.netloc}"


def _note_url(context: click.Context, option: click.Parameter, url: str | None) -> None:
    context.meta[_URL] = (url, context.get_parameter_source("url") is ParameterSource.COMMANDLINE)


def _admin(context: click.Context, option: click.Parameter, path: str) -> Admin:
    """The gateway to ask: what is said on the command line comes before the environment, and there `--url` before `--socket`."""
    url, is_said = context.meta[_URL]
    if not url or (not is_said and context.get_parameter_source("admin") is ParameterSource.COMMANDLINE):
        return Admin(Path(path))
    kept = OperatorFiles(os.environ).find(origin(url))
    if kept is None:
        raise click.ClickException(f"nobody is signed in at {plain(url)}; run doorward login {plain(url)}")
    return Admin(Network(kept.url, kept.token, kept.ca_file))


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
    warned(answer)


def warned(answer: Mapping[str, Any]) -> None:
    """Says what of a change did not go as it should, if anything; ends with exit code 3 then."""
    for warning in answer.get("warnings", ()):
        click.echo(f"! {plain(warning)}", err=True)
    if answer.get("warnings"):
        sys.exit(INCOMPLETE)


def given(**options: object) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value not in (None, "", ())}
