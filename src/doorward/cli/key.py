"""`doorward key`: the keys that the database is encrypted with."""

import click

from doorward.cli.options import asked, json_option, socket_option
from doorward.cli.shown import minute, plain, show_json, show_table
from doorward.client.admin import Admin, at


@click.group()
def command() -> None:
    """Keys that the database is encrypted with. Those of agents are under `doorward agent`."""


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List the key-encryption keys, and how many sealed rows still need each."""
    answer = asked(lambda: admin.get(at("encryption", "keys")))
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            one["id"],
            "unknown" if one["made_at"] is None else minute(one["made_at"]),
            "current" if one["current"] else "needed" if one["rows"] or one["store_keys"] else "unused",
            str(one["rows"]),
        )
        for one in answer["keys"]
    ]
    show_table(("key", "made", "state", "rows that need it"), rows)
    if answer["trouble"]:
        click.echo(plain(f"rows stay under an older key: {answer['trouble']}"))


@command.command("rotate")
@socket_option
@json_option
def rotate(admin: Admin, as_json: bool) -> None:
    """Encrypt the database under a new key. Calls go on; a copy of the database made before needs a copy of the keys made before."""
    answer = asked(lambda: admin.post(at("encryption", "rotate")))
    if as_json:
        show_json(answer)
        return
    click.echo(plain(f"everything new is sealed under {answer['key']}; {answer['rows']} rows follow (doorward key list)"))
