"""`doorward logout`: ends a session at a gateway's network door, there and here."""

import os

import click

from doorward.cli.options import origin
from doorward.cli.shown import plain
from doorward.client.admin import Admin, AdminError, Network
from doorward.client.operator_files import OperatorFiles


@click.command()
@click.argument("url", envvar="DOORWARD_URL")
def command(url: str) -> None:
    """Sign out at a gateway's network door."""
    files = OperatorFiles(os.environ)
    kept = files.find(origin(url))
    if kept is None:
        raise click.ClickException(f"nobody is signed in at {plain(url)}")
    files.forget(kept.url)
    try:
        Admin(Network(kept.url, kept.token, kept.ca_file)).post("/signout")
    except AdminError as error:
        raise click.ClickException(f"the session is forgotten here, but the gateway could not be told: {plain(str(error))}") from error
    click.echo(f"You are signed out at {plain(kept.url)}.")
