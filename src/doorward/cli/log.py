"""`doorward log`: read, verify and export the log."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from doorward import verifier
from doorward.cli.options import asked, given, json_option, socket_option
from doorward.cli.shown import plain, show_json, show_json_text, show_table, show_tree
from doorward.client.admin import Admin, at

EXPORT_SECONDS = 3600.0
"""How long an export may take: a log of a hundred million leaves is written in that time."""

_FILTERS = (
    ("--since", "RFC 3339, or how long ago: 90s, 15m, 24h, 7d."),
    ("--until", "Before this moment; as --since."),
    ("--type", "intent, outcome, refusal, list, or the name of an event."),
    ("--call", "A call's id."),
    ("--agent", "An agent."),
    ("--subject", "Whom the agent acted for (role auditor)."),
    ("--actor", "An agent by whose rights another one acted."),
    ("--issuer", "Of the access token."),
    ("--client", "ISSUER:CLIENT, the OAuth client of the access token."),
    ("--family", "The grant that the access token comes from."),
    ("--certificate", "The thumbprint of the connection's client certificate."),
    ("--team", "The agent's team, or the one that owns the upstream."),
    ("--upstream", "An upstream."),
    ("--name", "A tool, prompt or resource, without prefix."),
    ("--effect", "allow, ask, deny, refuse or observe."),
    ("--reason", "Of a refusal, or an outcome's status."),
    ("--policy", "A policy that decided."),
    ("--observed", "A policy with @mode(observe) that matched."),
    ("--waiver", "An exception or break-glass that let the call pass."),
    ("--finding", "GUARD/RULE."),
    ("--approval", "An approval."),
    ("--touched", "A value that some argument had (role auditor)."),
)


@click.group()
def command() -> None:
    """Read, verify and export the log."""


def _list(admin: Admin, as_json: bool, limit: int, before: int | None, **filters: str | None) -> None:
    """Find leaves, newest first."""
    answer = asked(lambda: admin.get(at("log"), given(limit=limit, before=before, **filters)))
    if as_json:
        show_json(answer)
        return
    show_table(
        ("index", "when", "type", "who", "what", "came of it", "call"), [_row(one["index"], one["leaf"]) for one in answer["leaves"]]
    )
    if answer["next"] is not None:
        click.echo(f"there are more: --before {answer['next']}", err=True)


def _filtered(listing: Any) -> Any:
    for option, text in reversed(_FILTERS):
        listing = click.option(option, help=text)(listing)
    return listing


command.add_command(
    click.command("list", help=_list.__doc__)(
        _filtered(
            click.option("--limit", default=50, show_default=True, help="Leaves on a page, at most 500.")(
                click.option("--before", type=int, help="Leaves below this index: the next page.")(socket_option(json_option(_list)))
            )
        )
    )
)


@command.command("show")
@click.argument("call")
@click.option("--contents", is_flag=True, help="With arguments and result in clear (role auditor; the log keeps that you looked).")
@socket_option
@json_option
def show(admin: Admin, as_json: bool, call: str, contents: bool) -> None:
    """Show the leaves of one call, whole."""
    leaves = asked(lambda: admin.get(at("log", "calls", call)))["leaves"]
    beside = asked(lambda: admin.get(at("log", "calls", call, "contents")))["contents"] if contents else []
    if as_json:
        show_json({"leaves": leaves, "contents": beside})
        return
    for one in leaves:
        click.echo(f"── leaf {one['index']}")
        show_tree(one["leaf"], depth=1)
    for one in beside:
        cut = "" if one["is_whole"] else f", cut from {one['size_bytes']} bytes"
        click.echo(f"── contents of leaf {one['index']} ({one['type']}{cut})")
        show_json_text(one["text"], depth=1)
    if contents and not beside:
        click.echo("no contents are kept (any more)", err=True)


@command.command("verify")
@click.option("--database", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A database file, also while it is in use.")
@click.option("--export", "directory", type=click.Path(path_type=Path, exists=True, file_okay=False), help="A directory of `log export`.")
@click.option("--receipt", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A file of `doorward receipt`.")
@click.option("--key", "keys", multiple=True, help="The log's public key (vkey), or a file that holds it; several after a rotation.")
@click.option(
    "--checkpoint",
    "trusted",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="A file of checkpoints kept elsewhere (an anchor): shows a log that was rewritten or cut.",
)
@socket_option
def verify(
    admin: Admin,
    database: Path | None,
    directory: Path | None,
    receipt: Path | None,
    keys: tuple[str, ...],
    trusted: tuple[str, ...],
) -> None:
    """Verify the running gateway's log, or a database, export or receipt (exit code 1 if it was tampered with)."""
    chosen = [path for path in (database, directory, receipt) if path is not None]
    if len(chosen) > 1:
        raise click.UsageError("one of --database, --export and --receipt at a time")
    if chosen:
        sys.exit(_verified(chosen[0], keys or _key_beside(chosen[0]), trusted))
    with tempfile.TemporaryDirectory(prefix="doorward-log-") as name:
        exported = _export(admin, Path(name))
        click.echo(f"exported {exported['size']} leaves to verify them", err=True)
        sys.exit(_verified(Path(name), keys or _key_beside(Path(name)), trusted))


@command.command("export")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@socket_option
def export(admin: Admin, directory: Path) -> None:
    """Write the log to a directory (new, empty, or of an earlier export) as tiles that any C2SP client reads; the gateway writes it."""
    exported = _export(admin, directory)
    click.echo(f"{exported['size']} leaves in {exported['directory']}, root {exported['root']}")


@command.command("checkpoint")
@click.option("--now", is_flag=True, help="Sign one over everything there is now (role auditor).")
@click.option("--key", "only_key", is_flag=True, help="Print the public key (vkey) alone, to keep it elsewhere.")
@socket_option
@json_option
def checkpoint(admin: Admin, as_json: bool, now: bool, only_key: bool) -> None:
    """Print the newest signed checkpoint, and how the anchors do."""
    path = at("log", "checkpoint")
    answer = asked(lambda: admin.post(path) if now else admin.get(path))
    if as_json:
        show_json(answer)
    elif only_key:
        click.echo(answer["vkey"])
    else:
        click.echo(answer["checkpoint"] or "no checkpoint yet", nl=answer["checkpoint"] is None)
        for anchor in answer["anchors"]:
            state = f"FAILS: {anchor['failure']}" if anchor["failure"] else f"has it up to {anchor['size']}"
            click.echo(f"anchor {plain(anchor['name'])} {plain(state)}", err=True)


def _export(admin: Admin, directory: Path) -> Mapping[str, Any]:
    patient = Admin(admin.door, EXPORT_SECONDS)
    return asked(lambda: patient.post(at("log", "export"), {"directory": str(directory.absolute())}))


def _verified(path: Path, keys: tuple[str, ...], trusted: tuple[str, ...]) -> int:
    """The exit code of the verifier, which says the rest itself."""
    words = [str(path)]
    for key in keys:
        words += ["--key", key]
    for name in trusted:
        words += ["--trusted", name]
    return verifier.main(words)


def _key_beside(path: Path) -> tuple[str, ...]:
    """The key that an export brings itself: good against accidents, not against whoever made the export."""
    beside = path / "vkey"
    if not beside.is_file():
        raise click.UsageError("--key is needed: the log's public key, as `doorward log checkpoint --key` prints it")
    click.echo("! the key came with the log itself; give --key with one that you kept elsewhere", err=True)
    return (str(beside),)


def _row(index: int, leaf: Mapping[str, Any]) -> tuple[object, ...]:
    principal = leaf.get("principal", {})
    chain = [principal.get("agent"), *(link.get("agent") for link in principal.get("act", ()))]
    who = "<".join(name for name in chain if name) or leaf.get("by", "")
    what = "/".join(part for part in (leaf.get("upstream"), leaf.get("name")) if part)
    return index, leaf["ts"][:19].replace("T", " "), leaf["type"], who, what, _came_of(leaf), leaf.get("call", "")


def _came_of(leaf: Mapping[str, Any]) -> str:
    if "fields" in leaf:
        return " ".join(f"{name}={value}" for name, value in leaf["fields"].items())
    decision, result = leaf.get("decision", {}), leaf.get("result", {})
    words = [decision.get("effect"), result.get("status"), decision.get("reason") or result.get("reason")]
    if "would" in decision:
        words.append("(would be denied)")
    words += [f"[{policy}]" for policy in decision.get("policies", ())]
    return " ".join(word for word in words if word)
