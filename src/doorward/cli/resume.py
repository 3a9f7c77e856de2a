"""`doorward resume`: lifts a stop."""

import click

from doorward.cli.options import asked, done, socket_option
from doorward.cli.stop import KINDS, matter
from doorward.client.admin import Admin, at


@click.command()
@click.argument("kind", type=KINDS)
@click.argument("name", required=False)
@click.option("--revoked", is_flag=True, help="Lift the revocation of an upstream or tool instead of a stop.")
@socket_option
def command(admin: Admin, kind: str, name: str | None, revoked: bool) -> None:
    """Lift a stop of an agent, key, upstream, tool (UPSTREAM/TOOL) or all."""
    wanted = matter(kind, name)
    body = {"matter": wanted, "effect": "revoked" if revoked else "stopped"}
    done(asked(lambda: admin.post(at("stops", "lift"), body)), f"{wanted} goes on")
