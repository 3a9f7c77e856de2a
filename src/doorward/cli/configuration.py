"""`doorward config`: the configuration in force."""

import click

from doorward.cli.options import asked, json_option, socket_option
from doorward.cli.shown import plain, show_json, show_tree
from doorward.client.admin import Admin, at


@click.command()
@socket_option
@json_option
def command(admin: Admin, as_json: bool) -> None:
    """Show the configuration in force, defaults included; of secrets only where they come from."""
    answer = asked(lambda: admin.get(at("config")))
    if as_json:
        show_json(answer)
        return
    click.echo(f"generation {answer['generation']}, sha256 {answer['digest']}")
    show_tree(answer["document"], depth=1)
    for mark, lines in (("✗", answer["problems"]), ("!", answer["warnings"])):
        for line in lines:
            click.echo(f"{mark} {plain(line)}", err=True)
