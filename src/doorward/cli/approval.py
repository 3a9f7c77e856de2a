"""`doorward approval`: calls that wait for a person's yes."""

from collections.abc import Mapping
from typing import Any

import click

from doorward.cli.options import asked, done, json_option, socket_option
from doorward.cli.shown import minute, plain, short, show_json, show_json_text, show_table
from doorward.client.admin import Admin, at


@click.group()
def command() -> None:
    """Calls that wait for a person's yes."""


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List what waits for an answer, or for the call to be made."""
    answer = asked(lambda: admin.get(at("approvals")))
    if as_json:
        show_json(answer)
        return
    rows = [
        (one["id"], one["state"], one["agent"], f"{one['upstream']}/{one['name']}", ", ".join(one["approvers"]), minute(one["expires_at"]))
        for one in answer["approvals"]
    ]
    show_table(("approval", "state", "agent", "call", "who may say yes", "until"), rows)


@command.command("show")
@click.argument("approval")
@socket_option
@json_option
def show(admin: Admin, as_json: bool, approval: str) -> None:
    """Show one call, whole: exactly what a yes would allow."""
    whole = asked(lambda: admin.get(at("approvals", approval)))
    if as_json:
        show_json(whole)
        return
    _show(whole)


@command.command("approve")
@click.argument("approval")
@click.option("--digest", default="", help="Say yes only if the call has this digest (or one that begins so), without asking back.")
@click.option("--note", default="", help="Why; kept in the log.")
@socket_option
def approve(admin: Admin, approval: str, digest: str, note: str) -> None:
    """Say yes to exactly one call, after seeing it whole."""
    whole = _looked_at(admin, approval, digest, "Say yes to exactly this call?")
    body = {"digest": whole["digest"], "note": note}
    done(asked(lambda: admin.post(at("approvals", approval, "approve"), body)), f"{approval} is approved; the agent may make the call once")


@command.command("reject")
@click.argument("approval")
@click.option("--digest", default="", help="Say no only if the call has this digest (or one that begins so), without asking back.")
@click.option("--note", default="", help="Why; kept in the log.")
@socket_option
def reject(admin: Admin, approval: str, digest: str, note: str) -> None:
    """Say no to one call, or take an unused yes back."""
    whole = _looked_at(admin, approval, digest, "Say no to this call?")
    body = {"digest": whole["digest"], "note": note}
    done(asked(lambda: admin.post(at("approvals", approval, "reject"), body)), f"{approval} is rejected")


def _looked_at(admin: Admin, approval: str, digest: str, question: str) -> Mapping[str, Any]:
    """The call that is answered: one whose digest the operator knows, or one that was just shown."""
    whole = asked(lambda: admin.get(at("approvals", approval)))
    if digest:
        if not whole["digest"].startswith(digest):
            raise click.ClickException(f"the call has the digest {short(whole['digest'])}…, not {plain(digest)}")
        return whole
    _show(whole)
    click.confirm(question, abort=True)
    return whole


def _show(whole: Mapping[str, Any]) -> None:
    one = whole["approval"]
    click.echo(f"approval  {one['id']} ({one['state']}, until {minute(one['expires_at'])} UTC)")
    click.echo(f"agent     {plain(one['agent'])}, owned by {plain(one['owner'])}")
    click.echo(f"asked by  {plain(', '.join(one['policies']))}: {plain(one['reason'])}")
    click.echo(f"of        {plain(', '.join(one['approvers']))}")
    click.echo(f"digest    {whole['digest']}")
    show_json_text(whole["canonical"], depth=1)
