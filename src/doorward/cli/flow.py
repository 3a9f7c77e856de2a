"""`doorward flow`: what has flowed into agents' contexts, and letting one begin anew."""

from collections.abc import Mapping
from typing import Any

import click

from doorward.cli.options import asked, done, json_option, socket_option
from doorward.cli.shown import minute, plain, show_json, show_table
from doorward.client.admin import Admin, at


@click.group()
def command() -> None:
    """Contexts: how far what an agent has read may be trusted, and how far it may go."""


@command.command("list")
@click.option("--agent", help="Of this agent alone.")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool, agent: str | None) -> None:
    """List contexts, the last to call first."""
    query = {"agent": agent} if agent is not None else {}
    answer = asked(lambda: admin.get(at("flow"), query))
    if as_json:
        show_json(answer)
        return
    show_table(("context", "agent", "instance", "holds", "calls", "last call"), [_row(one) for one in answer["contexts"]])
    if answer["total"] > len(answer["contexts"]):
        click.echo(f"{answer['total'] - len(answer['contexts'])} more")


@command.command("show")
@click.argument("context", type=int)
@socket_option
@json_option
def show(admin: Admin, as_json: bool, context: int) -> None:
    """Show one context."""
    answer = asked(lambda: admin.get(at("flow", str(context))))
    if as_json:
        show_json(answer)
        return
    remembers = "everything counts as tainted" if answer["remembers"] is None else f"{answer['remembers']} names it has been shown"
    lines = (
        ("agent", answer["agent"]),
        ("instance", answer["instance"] or "several that had to make room"),
        ("holds", _holds(answer)),
        ("found", ", ".join(answer["findings"]) or "nothing"),
        ("calls", f"{answer['calls']}, of which {answer['writes']} write and {answer['externals']} reach outside"),
        ("remembers", remembers),
        ("began", minute(answer["began"])),
        ("last call", minute(answer["last_call"])),
        ("ends", minute(answer["ends"])),
    )
    for name, text in lines:
        click.echo(plain(f"{name}: {text}"))


@command.command("reset")
@click.argument("context", type=int)
@click.option("--reason", required=True, help="Why; kept in the log.")
@socket_option
def reset(admin: Admin, context: int, reason: str) -> None:
    """Let an instance begin anew, as if nothing had flowed into it: it has begun another task, and knows nothing of the last one."""
    done(asked(lambda: admin.post(at("flow", str(context), "reset"), {"reason": reason})), f"context {context} has begun anew")


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    return one["context"], one["agent"], one["instance"] or "(several)", _holds(one), one["calls"], minute(one["last_call"])


def _holds(one: Mapping[str, Any]) -> str:
    sort = f" ({', '.join(one['categories'])})" if one["categories"] else ""
    return f"{one['integrity']}, {one['confidentiality']}{sort}"
