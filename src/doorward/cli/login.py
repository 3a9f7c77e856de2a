"""`doorward login`: sign in at a gateway's network door, by a browser on this computer."""

import os
import webbrowser
from pathlib import Path

import click

from doorward.cli.options import origin
from doorward.cli.shown import minute, plain
from doorward.client.admin import AdminError
from doorward.client.login import Login
from doorward.client.operator_files import OperatorFiles

_WAIT_SECONDS = 600.0


@click.command()
@click.argument("url", envvar="DOORWARD_URL")
@click.option(
    "--ca-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The only authorities (PEM) to trust for this gateway."
)
@click.option("--no-browser", is_flag=True, help="Only print the page; open it yourself, on this computer.")
def command(url: str, ca_file: Path | None, no_browser: bool) -> None:
    """Sign in at a gateway's network door with your company's account.

    The page in the browser asks whether this command may act for you, and shows the same letters as the command. The session is kept
    in your state directory, readable for you alone; --url or DOORWARD_CONTROL_URL then lets every command use it.
    """
    login = Login(origin(url), None if ca_file is None else str(ca_file.resolve()))
    try:
        login.check()
    except AdminError as error:
        raise click.ClickException(plain(str(error))) from error
    click.echo(f"Sign in here, and compare the letters {login.phrase}:\n{login.page}")
    if not no_browser:
        webbrowser.open(login.page)
    try:
        kept = login.wait(_WAIT_SECONDS)
        OperatorFiles(os.environ).keep(kept)
    except AdminError as error:
        raise click.ClickException(plain(str(error))) from error
    except OSError as error:
        raise click.ClickException(f"the session cannot be kept: {error}") from error
    click.echo(f"You are signed in as {plain(kept.name)} until {minute(kept.expires_at)}.")
