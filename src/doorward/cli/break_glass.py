"""`doorward break-glass`: lets an agent past every policy for a short while, loudly."""

from typing import Any

import click

from doorward.cli.ends import minutes
from doorward.cli.exception import show_notes
from doorward.cli.options import asked, done, json_option, socket_option, warned
from doorward.cli.shown import plain, show_json, show_table
from doorward.client.admin import Admin, at
from doorward.domain.moments import spoken

EVERYTHING = "everything"
_MEANS = (
    "Whatever policy denies {agent}, or would ask a person about, passes: {action}, for {span}.",
    "Stops, revocations, pins and inspection hold as ever.",
    "Who broke the glass and why stands in the log, and so does every call that passes by it; everybody who looks is told.",
)


@click.group()
def command() -> None:
    """Let an agent past every policy for a short while, loudly."""


@command.command("open")
@click.argument("agent")
@click.argument("action", required=False, default="")
@click.option("--for", "span", required=True, help="How long: 5m, 15m; at most what the configuration allows.")
@click.option("--reason", required=True, help="Why, in a sentence; kept in the log and told to everybody.")
@click.option("--yes", is_flag=True, help="Do not ask back.")
@socket_option
@json_option
def open_(admin: Admin, as_json: bool, agent: str, action: str, **wanted: Any) -> None:
    """Break the glass for AGENT: past every policy, for ACTION (github/create_issue, or github) or for everything."""
    body = {"agent": agent, "action": action, "minutes": minutes(wanted["span"]), "reason": wanted["reason"]}
    for line in _MEANS:
        click.echo(f"!! {plain(line.format(agent=agent, action=action or EVERYTHING, span=wanted['span']))}", err=True)
    if not wanted["yes"]:
        click.confirm("Break the glass?", abort=True, err=True)
    answer = asked(lambda: admin.post(at("break-glass"), body))
    if as_json:
        show_json(answer)
        warned(answer)
        return
    sentence = f"THE GLASS IS BROKEN for {agent} ({action or EVERYTHING}) until {spoken(answer['ends'])}"
    done(answer, f"{sentence}; end it with: doorward break-glass close {answer['id']}")


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List the glasses that are broken now."""
    answer = asked(lambda: admin.get(at("break-glass")))
    if as_json:
        show_json(answer)
        return
    rows = [
        (one["id"], one["agent"], one["action"] or EVERYTHING, spoken(one["ends"]), one["by"], one["reason"]) for one in answer["broken"]
    ]
    show_table(("glass", "agent", "action", "until", "by", "reason"), rows)
    show_notes(answer["broken"])


@command.command("close")
@click.argument("glass")
@click.option("--yes", is_flag=True, help="Do not ask back.")
@socket_option
def close(admin: Admin, glass: str, yes: bool) -> None:
    """End a broken glass now: policy decides again from the next call on."""
    if not yes:
        click.confirm(f"End {plain(glass)} now, whatever depends on it?", abort=True, err=True)
    done(asked(lambda: admin.delete(at("break-glass", glass))), f"{glass} has ended; policy decides again")
