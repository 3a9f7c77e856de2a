"""`doorward agent`: agents and their keys."""

from collections.abc import Mapping
from typing import Any

import click

from doorward.cli.options import asked, done, json_option, socket_option
from doorward.cli.shown import minute, show_json, show_table, show_tree
from doorward.client.admin import Admin, at


@click.group()
def command() -> None:
    """Agents and their keys."""


@command.command("add")
@click.argument("name")
@click.option("--team", required=True, help="The team it belongs to.")
@click.option("--owner", default="", help="The person who answers for it; default: you.")
@click.option("--kind", default="client", show_default=True, help="What sort of software it is.")
@click.option("--days", default=90.0, show_default=True, help="How long the key is valid.")
@click.option("--ends-in-days", type=float, help="When the agent itself ends; default: never.")
@socket_option
@json_option
def add(admin: Admin, as_json: bool, name: str, **wanted: object) -> None:
    """Make an agent known and print its first key, once."""
    body = {"id": name, "team": wanted["team"], "owner": wanted["owner"], "kind": wanted["kind"], "key_days": wanted["days"]}
    if wanted["ends_in_days"] is not None:
        body["expires_days"] = wanted["ends_in_days"]
    _show_key(asked(lambda: admin.post(at("agents"), body)), as_json)


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List agents."""
    answer = asked(lambda: admin.get(at("agents")))
    if as_json:
        show_json(answer)
        return
    rows = [
        (agent["id"], agent["team"], agent["owner"], agent["state"], minute(agent["seen_at"]), _live_keys(agent))
        for agent in answer["agents"]
    ]
    show_table(("agent", "team", "owner", "state", "last seen", "keys"), rows)


@command.command("show")
@click.argument("name")
@socket_option
@json_option
def show(admin: Admin, as_json: bool, name: str) -> None:
    """Show one agent with its keys."""
    answer = asked(lambda: admin.get(at("agents", name)))
    if as_json:
        show_json(answer)
        return
    show_tree({key: value for key, value in answer.items() if key not in {"keys", "created_at", "expires_at", "seen_at"}})
    show_tree({"created": minute(answer["created_at"]), "ends": minute(answer["expires_at"]), "last seen": minute(answer["seen_at"])})
    rows = [(key["id"], minute(key["created_at"]), minute(key["expires_at"]), _revoked(key)) for key in answer["keys"]]
    show_table(("key", "issued", "ends", "revoked"), rows)


@command.command("rotate")
@click.argument("name")
@click.option("--days", default=90.0, show_default=True, help="How long the new key is valid.")
@click.option("--overlap-hours", default=24.0, show_default=True, help="How long the old keys go on.")
@socket_option
@json_option
def rotate(admin: Admin, as_json: bool, name: str, days: float, overlap_hours: float) -> None:
    """Issue a new key; the old ones end after the overlap."""
    body = {"key_days": days, "overlap_hours": overlap_hours}
    _show_key(asked(lambda: admin.post(at("agents", name, "rotate"), body)), as_json)


def _changing(verb: str, state: str, text: str) -> click.Command:
    @click.argument("name")
    @socket_option
    def change(admin: Admin, name: str) -> None:
        done(asked(lambda: admin.post(at("agents", name, verb))), f"{name} is {state}")

    return click.command(verb, help=text)(change)


command.add_command(_changing("suspend", "suspended", "Keep an agent out until it is resumed."))
command.add_command(_changing("resume", "active", "Let a suspended agent act again."))
command.add_command(_changing("revoke", "revoked", "Keep an agent out for good."))


def _show_key(answer: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(answer)
        return
    click.echo(answer["key"])
    click.echo(f"The key of {answer['agent']}, valid until {minute(answer['expires_at'])} UTC. It is not shown again.", err=True)


def _live_keys(agent: Mapping[str, Any]) -> int:
    return sum(1 for key in agent["keys"] if key["revoked_at"] is None)


def _revoked(key: Mapping[str, Any]) -> str:
    return "" if key["revoked_at"] is None else minute(key["revoked_at"])
