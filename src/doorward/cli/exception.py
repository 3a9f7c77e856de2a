"""`doorward exception`: lets one agent do what policy denies it, until an end."""

from collections.abc import Mapping
from typing import Any

import click

from doorward.cli.ends import minutes, moment
from doorward.cli.options import asked, done, given, json_option, socket_option, warned
from doorward.cli.shown import minute, plain, show_json, show_table
from doorward.client.admin import Admin, at
from doorward.domain.moments import spoken


@click.group()
def command() -> None:
    """Exceptions from policy: one agent, one action, until an end."""


@command.command("add")
@click.argument("agent")
@click.argument("action")
@click.option("--reason", required=True, help="Why; kept in the log.")
@click.option("--for", "span", help="How long: 90m, 8h, 7d; at most 90d.")
@click.option("--until", help="When it ends instead: RFC 3339, or a date for its beginning in UTC.")
@click.option(
    "--lift", "lifts", multiple=True, help="A policy (a forbid with @exception) that shall not hold it back; may be given more than once."
)
@socket_option
@json_option
def add(admin: Admin, as_json: bool, agent: str, action: str, reason: str, **wanted: Any) -> None:
    """Let AGENT do ACTION (github/create_issue, or github for everything there), though policy would not permit it.

    Every forbid that is not named by --lift denies as ever.
    """
    if (wanted["span"] is None) is (wanted["until"] is None):
        raise click.UsageError("say when it ends: either --for or --until")
    end = {"minutes": minutes(wanted["span"])} if wanted["span"] is not None else {"until": moment(wanted["until"])}
    body = {"agent": agent, "action": action, "reason": reason, **given(lifts=wanted["lifts"]), **end}
    answer = asked(lambda: admin.post(at("exceptions"), body))
    if as_json:
        show_json(answer)
        warned(answer)
        return
    done(answer, f"exception {answer['id']}: {agent} may {action} until {spoken(answer['ends'])}")


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List the exceptions that hold, and what of them is of no use now."""
    answer = asked(lambda: admin.get(at("exceptions")))
    if as_json:
        show_json(answer)
        return
    rows = [
        (one["id"], one["agent"], one["action"], " ".join(one["lifts"]), minute(one["ends"]), one["by"], one["reason"])
        for one in answer["exceptions"]
    ]
    show_table(("exception", "agent", "action", "lifts", "until", "by", "reason"), rows)
    show_notes(answer["exceptions"])


@command.command("end")
@click.argument("exception")
@socket_option
def end(admin: Admin, exception: str) -> None:
    """End an exception now."""
    done(asked(lambda: admin.delete(at("exceptions", exception))), f"exception {exception} has ended")


def show_notes(waivers: list[Mapping[str, Any]]) -> None:
    """A line for each thing that makes one of no use now."""
    for one in waivers:
        for note in one["notes"]:
            click.echo(f"! {one['id']}: {plain(note)}", err=True)
