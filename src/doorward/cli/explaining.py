"""`doorward policy explain`: how a call would be decided, by what, and what little would have to be otherwise."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import click

from doorward.cli.options import F, asked, given, json_option, socket_option
from doorward.cli.past import explain_receipt
from doorward.cli.shown import plain, show_json, show_table, show_tree
from doorward.client.admin import Admin, at

Options = Mapping[str, Any]

_PLAIN = ("network", "user", "issuer", "client", "bound")
_SEVERAL = ("groups", "actors", "scopes")


def _what(command: F) -> F:
    """What is called, and with which arguments."""
    options: tuple[Callable[[F], F], ...] = (
        click.option("--tool", metavar="UPSTREAM/NAME", help="The tool that is called."),
        click.option("--prompt", metavar="UPSTREAM/NAME", help="The prompt that is got."),
        click.option("--resource", metavar="URI", help="The resource that is read; needs --upstream."),
        click.option("--upstream", metavar="UPSTREAM", help="The upstream of the resource."),
        click.option("--args", "arguments", default="{}", show_default=True, help="The call's arguments as JSON."),
        click.option(
            "--arg", "-a", "pairs", multiple=True, metavar="NAME=VALUE", help="One argument more; VALUE as JSON, or else as text."
        ),
    )
    return _all(command, options)


def _who(command: F) -> F:
    """Who calls, when, and from where."""
    options: tuple[Callable[[F], F], ...] = (
        click.option("--agent", help="The agent that calls."),
        click.option("--user", help="Whom the agent acts for, such as corp:alice."),
        click.option("--group", "groups", multiple=True, help="A group of that person, such as corp:finance."),
        click.option("--actor", "actors", multiple=True, help="An agent by whose rights it acts; the nearest first."),
        click.option("--issuer", help="Who issued its access token."),
        click.option("--client", help="The OAuth client of the token."),
        click.option("--scope", "scopes", multiple=True, help="What the token is limited to; default: mcp, which is everything."),
        click.option("--bound", type=click.Choice(["nothing", "certificate", "dpop"]), help="What the token is tied to."),
        click.option("--certificate", is_flag=True, help="The connection has a client certificate."),
        click.option("--network", help="The address the call comes from."),
        click.option(
            "--session",
            metavar="JSON",
            help='What has flowed into its context, such as \'{"integrity": "untrusted"}\'; default: what has by now.',
        ),
        click.option("--at", "moment", type=float, metavar="SECONDS", help="The moment of the call in Unix seconds; default: now."),
    )
    return _all(command, options)


def _all(command: F, options: tuple[Callable[[F], F], ...]) -> F:
    for option in reversed(options):
        command = option(command)
    return command


@click.command("explain")
@_who
@_what
@click.option("--receipt", metavar="CALL", help="A recorded call instead: what its policies said, and today's would say (role auditor).")
@socket_option
@json_option
def explain(admin: Admin, as_json: bool, receipt: str | None, **wanted: Any) -> None:
    """Explain how a call would be decided: by which policies, on which facts, and the smallest change that flips it. Nothing is sent."""
    if receipt is not None:
        explain_receipt(admin, as_json, receipt, show)
        return
    answer = asked(lambda: admin.post(at("policies", "explain"), supposed(wanted)))
    if as_json:
        show_json(answer)
        return
    show(answer)


def supposed(wanted: Options) -> str:
    """The question as JSON; the arguments go as they are written, so that numbers keep their digits. Raises `click.UsageError`."""
    if not wanted["agent"]:
        raise click.UsageError("which agent? say --agent")
    fields = given(agent=wanted["agent"], at=wanted["moment"], **_target(wanted), **{one: wanted[one] for one in _PLAIN})
    fields |= {name: list(wanted[name]) for name in _SEVERAL if wanted[name]}
    if wanted["certificate"]:
        fields["certificate"] = True
    if wanted["session"] is not None:
        fields["session"] = _object("--session", wanted["session"])
    return f'{json.dumps(fields)[:-1]}, "arguments": {_arguments(wanted["arguments"], wanted["pairs"])}}}'


def _target(wanted: Options) -> dict[str, str]:
    """Kind, upstream and name of what is called."""
    said = [kind for kind in ("tool", "prompt", "resource") if wanted[kind] is not None]
    if len(said) != 1:
        raise click.UsageError("say what is called: one of --tool, --prompt and --resource")
    (kind,) = said
    if kind == "resource":
        if not wanted["upstream"]:
            raise click.UsageError("--resource needs --upstream")
        return {"kind": kind, "upstream": wanted["upstream"], "name": wanted[kind]}
    if wanted["upstream"]:
        raise click.UsageError(f"--upstream belongs to --resource; --{kind} says it itself: UPSTREAM/NAME")
    upstream, slash, name = wanted[kind].partition("/")
    if not slash or not upstream or not name:
        raise click.UsageError(f"expected UPSTREAM/NAME, got {plain(wanted[kind])!r}")
    return {"kind": kind, "upstream": upstream, "name": name}


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
        raise click.UsageError("expected an object in --args")
    own = inner[1:-1].strip()
    return "{" + ", ".join([*([own] if own else []), *members]) + "}"


def _object(option: str, text: str) -> object:
    """The object that an option gives; raises `click.UsageError`."""
    if not _is_json(text) or not text.strip().startswith("{"):
        raise click.UsageError(f"expected an object in {option}")
    return json.loads(text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def show(answer: Mapping[str, Any]) -> None:
    """Prints a decision with all that went into it."""
    passes = "it would pass" if answer["passes"] else "it would not pass"
    click.echo(f"{answer['effect'].upper()} ({passes}; posture {answer['posture']}, definition {answer['standing']}, at {answer['at']})")
    for label, text in (
        ("because", answer["reason"]),
        ("let past by", answer["waiver"]),
        ("policies", ", ".join(answer["policies"])),
        ("approval of", ", ".join(answer["approvers"])),
        ("the agent is told", answer["sentence"]),
        ("the token lacks the scope", answer["scope"]),
        ("if observed policies were enforced", answer["observed"]),
    ):
        if text:
            click.echo(f"  {label}: {plain(text)}")
    _show_flips(answer)
    rows = [
        (one["policy"], one["effect"], one["mode"], one["match"], one["actor"] or answer["agent"], f"{one['path']}:{one['line']}")
        for one in answer["considered"]
    ]
    show_table(("policy", "effect", "mode", "match", "of", "where"), rows)
    click.echo("FACTS THAT THESE POLICIES READ")
    show_tree({fact["name"]: fact["value"] for fact in answer["facts"] if fact["is_there"]}, depth=1)
    for fact in answer["facts"]:
        if not fact["is_there"]:
            click.echo(f"  {plain(fact['name'])} is not there")


def _show_flips(answer: Mapping[str, Any]) -> None:
    if answer["flips"]:
        click.echo("THE SMALLEST CHANGES THAT FLIP IT")
        for flip in answer["flips"]:
            click.echo(f"  {plain(flip['sentence'])}")
    elif answer["tried"]:
        told = "no one change, and no two, of what its policies read" if answer["tried_all"] else "nothing that was tried within a second"
        click.echo(f"  flipped by: {told}")
