"""`doorward revoke`: withdraws what calls are made with or by, or what they are made to."""

import click

from doorward.cli.options import asked, done, socket_option
from doorward.cli.stop import matter
from doorward.client.admin import Admin, at


@click.command()
@click.argument("kind")
@click.argument("name", required=False)
@click.option("--reason", required=True, help="Why; kept in the log.")
@socket_option
def command(admin: Admin, kind: str, name: str | None, reason: str) -> None:
    """Withdraw something at once and in flight: for good an agent, key, family (the tokens of one grant), certificate or session;
    until `resume --revoked` a user (ISSUER:NAME), client (ISSUER:ID), issuer, upstream or tool (UPSTREAM/TOOL)."""
    wanted = matter(kind, name)
    body = {"matter": wanted, "reason": reason, "effect": "revoked"}
    done(asked(lambda: admin.post(at("stops"), body)), f"{wanted} is revoked")
