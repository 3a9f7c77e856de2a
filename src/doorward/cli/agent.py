"""`doorward agent`: agents, the identities they are known by, and their keys."""

from collections.abc import Mapping
from typing import Any

import click

from doorward.cli.certificates import command as certificates
from doorward.cli.enroll import command as enroll
from doorward.cli.options import asked, done, given, json_option, socket_option, warned
from doorward.cli.shown import minute, plain, show_json, show_table, show_tree
from doorward.client.admin import Admin, at

_METHODS = ("agent_key", "access_token", "certificate", "anonymous")
_TIMES = frozenset({"created_at", "expires_at", "seen_at", "keys"})
_METHOD_HELP = "A way in which it may prove itself; may be given more than once."


@click.group()
def command() -> None:
    """Agents, what they are known by, and their keys."""


@command.command("add")
@click.argument("name")
@click.option("--team", required=True, help="The team it belongs to.")
@click.option("--owner", default="", help="The person who answers for it; default: you.")
@click.option("--kind", default="client", show_default=True, help="What sort of software it is.")
@click.option("--purpose", default="", help="What it is for.")
@click.option("--method", "methods", multiple=True, type=click.Choice(_METHODS), help=f"{_METHOD_HELP} Default: all but anonymous.")
@click.option(
    "--identity",
    "identities",
    multiple=True,
    help="What tokens or certificates prove it to be: client:ISSUER:ID, spiffe://…, dns:HOST or subject:NAME; may be given more than once.",
)
@click.option("--days", default=90.0, show_default=True, help="How long the key is valid.")
@click.option("--ends-in-days", type=float, help="When the agent itself ends; default: never.")
@socket_option
@json_option
def add(admin: Admin, as_json: bool, name: str, **wanted: object) -> None:
    """Make an agent known and print its first key, once.

    An agent that may not prove itself by agent_key gets none.
    """
    body = {"id": name, "key_days": wanted.pop("days"), **given(expires_days=wanted.pop("ends_in_days")), **given(**wanted)}
    answer = asked(lambda: admin.post(at("agents"), body))
    if as_json or answer["key"] is not None:
        _show_key(answer, as_json)
        warned(answer)
    else:
        done(answer, f"{name} is known; it has no key")


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
        (agent["id"], agent["team"], agent["owner"], _state(agent), minute(agent["seen_at"]), minute(agent["expires_at"]), _known_by(agent))
        for agent in answer["agents"]
    ]
    show_table(("agent", "team", "owner", "state", "last seen", "ends", "known by"), rows)


@command.command("show")
@click.argument("name")
@socket_option
@json_option
def show(admin: Admin, as_json: bool, name: str) -> None:
    """Show one agent with its identities and keys."""
    answer = asked(lambda: admin.get(at("agents", name)))
    if as_json:
        show_json(answer)
        return
    show_tree({key: value for key, value in answer.items() if key not in _TIMES})
    show_tree({"created": minute(answer["created_at"]), "ends": minute(answer["expires_at"]), "last seen": minute(answer["seen_at"])})
    rows = [(key["id"], minute(key["created_at"]), minute(key["expires_at"]), _revoked(key)) for key in answer["keys"]]
    show_table(("key", "issued", "ends", "revoked"), rows)


@command.command("edit")
@click.argument("name")
@click.option("--owner", help="Who answers for it from now on.")
@click.option("--purpose", help="What it is for.")
@click.option("--method", "methods", multiple=True, type=click.Choice(_METHODS), help=f"{_METHOD_HELP} These, and no others.")
@click.option("--ends-in-days", type=float, help="When the agent ends, from now.")
@click.option("--never-ends", is_flag=True, help="It has no end.")
@socket_option
def edit(admin: Admin, name: str, ends_in_days: float | None, never_ends: bool, **wanted: object) -> None:
    """Change an agent's owner, purpose, methods or end; what is not named stays as it is."""
    if never_ends and ends_in_days is not None:
        raise click.UsageError("either --ends-in-days or --never-ends")
    changes = {option: value for option, value in wanted.items() if value not in (None, ())}
    end = given(expires_days="never" if never_ends else ends_in_days)
    if not changes and not end:
        raise click.UsageError("name something to change, such as --owner")
    done(asked(lambda: admin.post(at("agents", name, "edit"), {**changes, **end})), f"{name} is changed")


@command.command("bind")
@click.argument("name")
@click.argument("identity")
@socket_option
def bind(admin: Admin, name: str, identity: str) -> None:
    """Let whoever proves IDENTITY act as the agent: client:ISSUER:ID, spiffe://…, dns:HOST or subject:NAME."""
    done(asked(lambda: admin.post(at("agents", name, "bind"), {"identity": identity})), f"{identity} is {name}")


@command.command("unbind")
@click.argument("name")
@click.argument("identity")
@socket_option
def unbind(admin: Admin, name: str, identity: str) -> None:
    """Take an identity from an agent, at once; its calls on their way are cut off."""
    done(asked(lambda: admin.post(at("agents", name, "unbind"), {"identity": identity})), f"{identity} is no longer {name}")


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


@command.command("owner-left")
@click.argument("owner")
@socket_option
def owner_left(admin: Admin, owner: str) -> None:
    """Keep out all agents of an owner who has left, until `agent edit --owner` names another and `agent resume` lets them in."""
    answer = asked(lambda: admin.post(at("owners", "left"), {"owner": owner}))
    for agent in answer["agents"]:
        click.echo(plain(f"{agent} is suspended"))
    done(answer, f"nobody acts for {owner} any more")


def _show_key(answer: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(answer)
        return
    click.echo(answer["key"])
    click.echo(f"The key of {answer['agent']}, valid until {minute(answer['expires_at'])} UTC. It is not shown again.", err=True)


def _state(agent: Mapping[str, Any]) -> str:
    return f"{agent['state']} (owner left)" if agent["why"] == "owner_left" else str(agent["state"])


def _known_by(agent: Mapping[str, Any]) -> str:
    """How many live keys and identities lead to an agent."""
    keys, identities = sum(1 for key in agent["keys"] if key["revoked_at"] is None), len(agent["identities"])
    counted = ((keys, "key", "keys"), (identities, "identity", "identities"))
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counted if count) or "nothing"


def _revoked(key: Mapping[str, Any]) -> str:
    return "" if key["revoked_at"] is None else minute(key["revoked_at"])


command.add_command(enroll)
command.add_command(certificates)
