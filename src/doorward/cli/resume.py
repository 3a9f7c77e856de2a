"""`doorward resume`: lifts a stop."""

import click

from doorward.cli.options import asked, done, socket_option
from doorward.cli.stop import matter
from doorward.client.admin import Admin, at


@click.command()
@click.argument("kind")
@click.argument("name", required=False)
@click.option("--revoked", is_flag=True, help="Lift a revocation that is not for good instead of a stop.")
@socket_option
def command(admin: Admin, kind: str, name: str | None, revoked: bool) -> None:
    """Lift a stop, named as for `doorward stop`; with --revoked the revocation of a user, client, issuer, upstream or tool."""
    wanted = matter(kind, name)
    body = {"matter": wanted, "effect": "revoked" if revoked else "stopped"}
    done(asked(lambda: admin.post(at("stops", "lift"), body)), f"{wanted} goes on")
