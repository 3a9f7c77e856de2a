"""`doorward operator`: who one is here, who is signed in over the network, and the end of a sign-in."""

import click

from doorward.cli.options import asked, done, json_option, socket_option
from doorward.cli.shown import minute, show_json, show_table, show_tree
from doorward.client.admin import Admin, at


@click.group()
def command() -> None:
    """Who you are here, and who is signed in over the network."""


@command.command("me")
@socket_option
@json_option
def me(admin: Admin, as_json: bool) -> None:
    """Show who you are here, your role and your teams."""
    answer = asked(lambda: admin.get(at("me")))
    if as_json:
        show_json(answer)
    else:
        show_tree(answer)


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List who is signed in over the network."""
    answer = asked(lambda: admin.get(at("operators")))
    if as_json:
        show_json(answer)
        return
    rows = [(one["id"], one["name"], one["shown"], one["door"], minute(one["began_at"])) for one in answer["sessions"]]
    show_table(("id", "name", "called", "door", "since"), rows)


@command.command("end")
@click.argument("session")
@socket_option
def end(admin: Admin, session: str) -> None:
    """End a sign-in by its ID."""
    done(asked(lambda: admin.delete(at("operators", session))), f"The sign-in {session} is ended.")
