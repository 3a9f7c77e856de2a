"""`doorward revoke`: withdraws an agent or key for good, an upstream or tool until restored."""

import click

from doorward.cli.options import asked, done, socket_option
from doorward.cli.stop import matter
from doorward.client.admin import Admin, at


@click.command()
@click.argument("kind", type=click.Choice(["agent", "key", "upstream", "tool"]))
@click.argument("name")
@click.option("--reason", required=True, help="Why; kept in the log.")
@socket_option
def command(admin: Admin, kind: str, name: str, reason: str) -> None:
    """Withdraw an agent or key for good, or an upstream or tool (UPSTREAM/TOOL), at once and in flight."""
    wanted = matter(kind, name)
    body = {"matter": wanted, "reason": reason, "effect": "revoked"}
    done(asked(lambda: admin.post(at("stops"), body)), f"{wanted} is revoked")
