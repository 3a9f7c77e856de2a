"""`doorward agent certificates`: what our own authority has issued."""

import click

from doorward.cli.options import asked, given, json_option, socket_option
from doorward.cli.shown import minute, show_json, show_table
from doorward.client.admin import Admin, at


@click.command("certificates")
@click.argument("name", required=False)
@socket_option
@json_option
def command(admin: Admin, as_json: bool, name: str | None) -> None:
    """List the certificates that were issued to agents, or to one; `doorward revoke certificate:ID` revokes one."""
    answer = asked(lambda: admin.get(at("certificates"), given(agent=name)))
    if as_json:
        show_json(answer)
        return
    rows = [
        (one["id"], one["agent"], minute(one["issued_at"]), minute(one["not_after"]), "yes" if one["revoked"] else "", one["proven_by"])
        for one in answer["certificates"]
    ]
    show_table(("certificate", "agent", "issued", "ends", "revoked", "proven by"), rows)
