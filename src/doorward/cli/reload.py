"""`doorward reload`: reads configuration and policies again."""

import click

from doorward.cli.options import asked, socket_option
from doorward.cli.shown import plain
from doorward.client.admin import Admin, at


@click.command()
@socket_option
def command(admin: Admin) -> None:
    """Read configuration and policies again; a bad one is refused and the old one stays."""
    answer = asked(lambda: admin.post(at("reload")))
    for line in answer["changes"]:
        click.echo(f"  {plain(line)}")
    for line in answer["warnings"]:
        click.echo(f"! {plain(line)}", err=True)
    click.echo(f"generation {answer['generation']}" + ("" if answer["changes"] else ", nothing in the document changed"))
