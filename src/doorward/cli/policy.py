"""`doorward policy`: which policies decide, and why."""

import json
from collections.abc import Mapping
from typing import Any

import click

from doorward.cli.options import asked, given, json_option, socket_option
from doorward.cli.shown import plain, show_json, show_table, show_tree
from doorward.client.admin import Admin, at


@click.group()
def command() -> None:
    """Which policies decide, and why."""


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List the policies in force."""
    answer = asked(lambda: admin.get(at("policies")))
    if as_json:
        show_json(answer)
        return
    rows = [(rule["id"], rule["effect"], rule["mode"], f"{rule['path']}:{rule['line']}", rule["reason"]) for rule in answer["policies"]]
    show_table(("policy", "effect", "mode", "where", "reason"), rows)
    for warning in answer["warnings"]:
        click.echo(f"! {plain(warning)}", err=True)


@command.command("explain")
@click.argument("agent")
@click.argument("upstream")
@click.argument("name")
@click.option("--kind", type=click.Choice(["tool", "prompt", "resource"]), default="tool", show_default=True, help="What NAME is.")
@click.option("--arguments", default="{}", show_default=True, help="The call's arguments as JSON.")
@click.option("--arg", "-a", "pairs", multiple=True, metavar="NAME=VALUE", help="One argument more; VALUE as JSON, or else as text.")
@click.option("--user", help="Whom the agent acts for, such as corp:alice.")
@click.option("--group", "groups", multiple=True, help="A group of that person, such as corp:finance.")
@click.option("--actor", "actors", multiple=True, help="An agent by whose rights it acts; the nearest first.")
@click.option("--issuer", help="Who issued its access token.")
@click.option("--client", help="The OAuth client of the token.")
@click.option("--scope", "scopes", multiple=True, help="What the token is limited to; default: mcp, which is everything.")
@click.option("--bound", type=click.Choice(["nothing", "certificate", "dpop"]), help="What the token is tied to.")
@click.option("--network", help="The address the call comes from.")
@click.option("--at", "moment", type=float, metavar="SECONDS", help="The moment of the call in Unix seconds; default: now.")
@socket_option
@json_option
def explain(admin: Admin, as_json: bool, agent: str, upstream: str, name: str, **wanted: Any) -> None:
    """Explain how a call of AGENT to NAME of UPSTREAM would be decided; nothing is sent."""
    plain_ones = ("kind", "network", "user", "issuer", "client", "bound")
    several = {name: list(wanted[name]) or None for name in ("groups", "actors", "scopes")}
    fields = given(agent=agent, upstream=upstream, name=name, at=wanted["moment"], **{one: wanted[one] for one in plain_ones}, **several)
    # The arguments go as they are written, so that numbers keep their digits.
    text = f'{json.dumps(fields)[:-1]}, "arguments": {_arguments(wanted["arguments"], wanted["pairs"])}}}'
    answer = asked(lambda: admin.post(at("policies", "explain"), text))
    if as_json:
        show_json(answer)
        return
    _show(answer, agent)


@command.command("observed")
@click.option("--since", default="7d", show_default=True, help="RFC 3339, or how long ago: 90s, 15m, 24h, 7d.")
@click.option("--agent", help="Only of this agent.")
@click.option("--upstream", help="Only of this upstream.")
@socket_option
@json_option
def observed(admin: Admin, as_json: bool, since: str, agent: str | None, upstream: str | None) -> None:
    """Count the calls that `posture: observe` let pass and policy would deny."""
    answer = asked(lambda: admin.get(at("policies", "observed"), given(since=since, agent=agent, upstream=upstream)))
    if as_json:
        show_json(answer)
        return
    rows = [
        (one["calls"], one["agent"], f"{one['upstream']}/{one['name']}", ", ".join(one["policies"]) or "–", one["detail"], one["last"][:16])
        for one in answer["passes"]
    ]
    show_table(("calls", "agent", "what", "policies", "why", "last"), rows)
    if not answer["is_whole"]:
        click.echo("! there is more: the newest calls alone were counted", err=True)


def _arguments(text: str, pairs: tuple[str, ...]) -> str:
    """The text of the arguments; raises `click.UsageError`."""
    members = []
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"expected NAME=VALUE, got {plain(pair)!r}")
        members.append(f"{json.dumps(name)}: {value if _is_json(value) else json.dumps(value)}")
    inner = text.strip()
    if not _is_json(inner) or not inner.startswith("{"):
        raise click.UsageError("expected an object in --arguments")
    own = inner[1:-1].strip()
    return "{" + ", ".join([*([own] if own else []), *members]) + "}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _show(answer: Mapping[str, Any], agent: str) -> None:
    passes = "it would pass" if answer["passes"] else "it would not pass"
    click.echo(f"{answer['effect'].upper()} ({passes}; posture {answer['posture']}, definition {answer['standing']}, at {answer['at']})")
    for label, text in (
        ("because", answer["reason"]),
        ("policies", ", ".join(answer["policies"])),
        ("approval of", ", ".join(answer["approvers"])),
        ("the agent is told", answer["sentence"]),
        ("the token lacks the scope", answer["scope"]),
        ("if observed policies were enforced", answer["observed"]),
    ):
        if text:
            click.echo(f"  {label}: {plain(text)}")
    rows = [
        (one["policy"], one["effect"], one["mode"], one["match"], one["actor"] or agent, f"{one['path']}:{one['line']}")
        for one in answer["considered"]
    ]
    show_table(("policy", "effect", "mode", "match", "of", "where"), rows)
    click.echo("FACTS THAT THESE POLICIES READ")
    show_tree({fact["name"]: fact["value"] for fact in answer["facts"] if fact["is_there"]}, depth=1)
    for fact in answer["facts"]:
        if not fact["is_there"]:
            click.echo(f"  {plain(fact['name'])} is not there")
