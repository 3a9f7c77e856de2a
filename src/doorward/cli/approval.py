"""`doorward approval`: calls that wait for a person's yes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

import click

from doorward.catalog.drift import changes, render
from doorward.cli import editing
from doorward.cli.options import asked, done, json_option, socket_option
from doorward.cli.shown import minute, plain, short, show_json, show_json_text, show_table
from doorward.client.admin import Admin, at
from doorward.wire.canonical import canonical

_DIGEST = "Answer only if the call has this digest (or one that begins so), without being asked back."


@click.group()
def command() -> None:
    """Calls that wait for a person's yes."""


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List what waits for an answer, or for the call to be made; what is hardest to undo comes first."""
    answer = asked(lambda: admin.get(at("approvals")))
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            one["id"],
            "edited" if one["is_edited"] and one["state"] == "pending" else one["state"],
            one["reversibility"],
            one["agent"],
            f"{one['upstream']}/{one['name']}",
            "; ".join(_need(need) for need in one["needs"]),
            minute(one["expires_at"]),
        )
        for one in answer["approvals"]
    ]
    show_table(("approval", "state", "risk", "agent", "call", "who has said yes", "until"), rows)


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
@click.option("--digest", default="", help=_DIGEST)
@click.option("--note", default="", help="Why; kept in the log.")
@click.option(
    "--edit", "file", type=click.File(encoding="utf-8"), help="All arguments, as JSON, in place of the call's; - reads them here."
)
@click.option(
    "--set", "pairs", multiple=True, metavar="/POINTER=VALUE", help="Another value in the arguments; VALUE as JSON, or else as text."
)
@click.option("--unset", "pointers", multiple=True, metavar="/POINTER", help="Take this out of the arguments.")
@socket_option
def approve(admin: Admin, approval: str, digest: str, file: TextIO | None, **given: Any) -> None:
    """Say yes to exactly one call, after seeing it whole; or to the same call with other arguments."""
    if file is not None and file.name == "<stdin>" and not digest:
        raise click.UsageError("with --edit - nobody can be asked back here; say with --digest which call you have seen")
    whole = _looked_at(admin, approval, digest)
    edited = _edited(whole, file, given["pairs"], given["pointers"])
    question = "Say yes to exactly this call?"
    if edited is not None:
        question = "Say yes to the call with these arguments instead?"
        _show_changes(whole, edited)
    if not digest:
        click.confirm(question, abort=True)
    heard = asked(lambda: admin.post(at("approvals", approval, "approve"), _body(whole["digest"], given["note"], edited)))
    if heard["state"] == "approved":
        done(heard, f"{approval} is approved; the agent may make the call once")
    else:
        done(heard, f"your yes to {approval} counts; still needed: {heard['missing']}")


@command.command("reject")
@click.argument("approval")
@click.option("--digest", default="", help=_DIGEST)
@click.option("--note", default="", help="Why; kept in the log.")
@socket_option
def reject(admin: Admin, approval: str, digest: str, note: str) -> None:
    """Say no to one call, or take an unused yes back."""
    whole = _looked_at(admin, approval, digest)
    if not digest:
        click.confirm("Say no to this call?", abort=True)
    done(asked(lambda: admin.post(at("approvals", approval, "reject"), _body(whole["digest"], note, None))), f"{approval} is rejected")


def _looked_at(admin: Admin, approval: str, digest: str) -> Mapping[str, Any]:
    """The call that is answered: one whose digest the operator knows, or one that is shown now."""
    whole = asked(lambda: admin.get(at("approvals", approval)))
    if not digest:
        _show(whole)
    elif not whole["digest"].startswith(digest):
        raise click.ClickException(f"the call has the digest {short(whole['digest'])}…, not {plain(digest)}")
    return whole


def _edited(whole: Mapping[str, Any], file: TextIO | None, pairs: Sequence[str], pointers: Sequence[str]) -> editing.Arguments | None:
    """The arguments that are put in place of the call's; None where nothing is said of any."""
    if file is None and not pairs and not pointers:
        return None
    arguments = _arguments(whole) if file is None else editing.read(file.read())
    editing.put(arguments, pairs)
    editing.take(arguments, pointers)
    # As it will be sent and decided on.
    return editing.read(canonical(arguments).decode())


def _arguments(whole: Mapping[str, Any]) -> editing.Arguments:
    """What a yes would let through as it stands."""
    if whole["edit"] is not None:
        return editing.read(whole["edit"]["arguments"])
    found = editing.read(whole["canonical"])["arguments"]
    assert isinstance(found, dict)
    return found


def _body(digest: str, note: str, edited: editing.Arguments | None) -> str:
    """An answer as JSON; other arguments go as they are written, so that numbers keep their digits."""
    body = json.dumps({"digest": digest, "note": note})
    return body if edited is None else f'{body[:-1]}, "edited": {canonical(edited).decode()}}}'


def _show_changes(whole: Mapping[str, Any], edited: editing.Arguments) -> None:
    differences = changes(_arguments(whole), edited)
    click.echo("your edit (- as it stands, + as you would have it; who has said yes before must say it again)")
    for line in render(differences).splitlines() if differences else ("nothing changes",):
        click.echo(f"  {line}")


def _show(whole: Mapping[str, Any]) -> None:
    for head, text in _heads(whole):
        click.echo(f"{head:<11} {plain(text)}".rstrip())
    click.echo("call, whole, as the agent asks it")
    show_json_text(whole["canonical"], depth=1)
    if whole["edit"] is not None:
        click.echo("edited: a yes lets these arguments through instead")
        show_json_text(whole["edit"]["arguments"], depth=1)
        click.echo("what the edit changes (- as the agent asks it, + as edited)")
        for line in whole["edit"]["changes"].splitlines():
            click.echo(f"  {plain(line)}")


def _heads(whole: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Everything but what the call carries, a line each."""
    one = whole["approval"]
    yield "approval", f"{one['id']} ({one['state']}, until {minute(one['expires_at'])} UTC)"
    yield "call", f"{one['kind']} {one['upstream']}/{one['name']}"
    yield "risk", f"{one['reversibility']}. {whole['risk']}"
    yield "agent", f"{one['agent']}, owned by {one['owner']}"
    if one["chain_owners"]:
        yield "handed on", f"by agents of {', '.join(one['chain_owners'])}"
    if one["subject"]:
        yield "acts for", f"{one['subject']}, who may not answer"
    yield "asked by", f"{', '.join(one['policies'])}: {one['reason']}"
    yield from (("needs", _need(need)) for need in one["needs"])
    yield from (("fact", f"{fact['name']}: {fact['text']}") for fact in whole["facts"])
    yield "asked at", f"{minute(one['asked_at'])} UTC"
    yield "digest", whole["digest"]
    yield "definition", whole["definition"] or "none"


def _need(need: Mapping[str, Any]) -> str:
    """`1 of 2 of finance: ada`."""
    said = f"{len(need['by'])} of {need['people']} of {need['team']}"
    owner = " (the agent's owner may be one)" if need["owner_may"] else ""
    return f"{said}{owner}: {', '.join(need['by'])}" if need["by"] else f"{said}{owner}"
