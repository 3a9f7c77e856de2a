"""`doorward session`: session-era sessions."""

import click

from doorward.cli.options import asked, done, json_option, socket_option
from doorward.cli.shown import minute, show_json, show_table
from doorward.client.admin import Admin, at


@click.group()
def command() -> None:
    """Session-era sessions."""


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List sessions."""
    answer = asked(lambda: admin.get(at("sessions")))
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            one["id"],
            one["principal"],
            one["endpoint"] or "all",
            one["version"],
            one["client"],
            minute(one["created"]),
            minute(one["seen"]),
            minute(one["ends"]),
        )
        for one in answer["sessions"]
    ]
    show_table(("session", "principal", "upstream", "version", "client", "since", "last seen", "ends by"), rows)


@command.command("kill")
@click.argument("session")
@socket_option
def kill(admin: Admin, session: str) -> None:
    """Kill a session and all that runs in it: its client must initialize again."""
    done(asked(lambda: admin.delete(at("sessions", session))), f"session {session} is killed")
