"""`doorward connection`: the accounts that people have connected at upstreams."""

import click

from doorward.cli.options import asked, done, json_option, socket_option
from doorward.cli.shown import minute, plain, show_json, show_table
from doorward.client.admin import Admin, at


@click.group()
def command() -> None:
    """Accounts that people have connected at upstreams (`kind: user`)."""


@command.command("list")
@click.option("--user", help="Only those of one person, such as corp:alice.")
@click.option("--upstream", help="Only those at one upstream.")
@socket_option
@json_option
def list_(admin: Admin, user: str | None, upstream: str | None, as_json: bool) -> None:
    """List connections: whose, where, for which agent, since when, and whether they work."""
    wanted: dict[str, str | int] = {name: value for name, value in (("user", user), ("upstream", upstream)) if value is not None}
    answer = asked(lambda: admin.get(at("connections"), wanted))
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            one["id"],
            one["upstream"],
            one["user"] or "the gateway",
            one["agent"] or "every",
            " ".join(one["scopes"]),
            minute(one["created_at"]),
            minute(one["used_at"]) if one["used_at"] else "never",
            f"{one['status']}: {one['why']}" if one["why"] else one["status"],
        )
        for one in answer["connections"]
    ]
    show_table(("connection", "upstream", "user", "agent", "scopes", "since", "last used", "state"), rows)


@command.command("revoke")
@click.argument("connection")
@socket_option
def revoke(admin: Admin, connection: str) -> None:
    """End a connection: no call is made with it any more. The person can connect again."""
    done(asked(lambda: admin.delete(at("connections", connection))), f"connection {connection} is ended")


@command.command("connect")
@click.argument("upstream")
@socket_option
def connect(admin: Admin, upstream: str) -> None:
    """Make a link to open in a browser, once and within ten minutes: it connects the account with which the gateway itself looks at what an
    upstream offers. No call of an agent is made with it."""
    click.echo(plain(asked(lambda: admin.post(at("connections", "own"), {"upstream": upstream}))["url"]))
