"""`doorward policy history`, `diff` and `rollback`: which policies were in force, how they differ, and back to others."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from doorward.cli.candidates import read_candidate
from doorward.cli.options import asked, given, json_option, socket_option
from doorward.cli.shown import plain, short, show_json, show_table, show_text
from doorward.client.admin import Admin, at

_DIGEST = re.compile(r"[0-9a-fA-F]{6,64}")


@click.command("history")
@click.option("--limit", default=20, show_default=True, help="Entries on a page, at most 500.")
@click.option("--before", type=int, help="Entries below this number: the next page.")
@socket_option
@json_option
def history(admin: Admin, as_json: bool, limit: int, before: int | None) -> None:
    """List the sets of policies that were in force, newest first."""
    answer = asked(lambda: admin.get(at("policies", "sets"), given(limit=limit, before=before)))
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            one["number"],
            f"{short(one['digest'])}{' *' if one['is_in_force'] else ''}",
            one["at"][:16].replace("T", " "),
            one["by"],
            f"{one['why']}: {one['reason']}" if one["reason"] else one["why"],
            one["policies"],
            one["generation"],
        )
        for one in answer["entries"]
    ]
    show_table(("number", "digest", "since", "by", "for", "policies", "generation"), rows)
    if any(one["is_in_force"] and one["is_rolled_back"] for one in answer["entries"]):
        click.echo("! policies are rolled back: the files on disk are not in force", err=True)
    if answer["next"] is not None:
        click.echo(f"there are more: --before {answer['next']}", err=True)


@click.command("diff")
@click.argument("words", nargs=-1, metavar="[A [B] | FILES...]")
@click.option("--team", "layers", multiple=True, metavar="TEAM=FILES", help="Files of a team's layer, to compare with those in force.")
@socket_option
@json_option
def diff(admin: Admin, as_json: bool, words: tuple[str, ...], layers: tuple[str, ...]) -> None:
    """Compare two sets of policies by the digests that history shows, or policy FILES with those in force.

    Without A, the set in force is compared with the one before it; with A alone, with A. Files take the place of their layer.
    """
    body = _compared(words, layers)
    answer = asked(lambda: admin.post(at("policies", "diff"), body))
    if as_json:
        show_json(answer)
    else:
        _show(answer)


def _compared(words: tuple[str, ...], layers: tuple[str, ...]) -> dict[str, object]:
    """What is compared: two digests, or a candidate; raises `click.UsageError`."""
    named = [word for word in words if _DIGEST.fullmatch(word) and not Path(word).exists()]
    if not named and (words or layers):
        return {"candidate": read_candidate(words, layers)}
    if len(named) < len(words) or len(named) > 2 or layers:
        raise click.UsageError("expected one or two digests, or files")
    return dict(zip(("before", "after"), named, strict=False))


def _show(answer: Mapping[str, Any]) -> None:
    for one in answer["files"]:
        click.echo(f"── {plain(one['path'])}{' of team ' + plain(one['team']) if one['team'] else ''}")
        show_text(one["text"])
    for word in ("added", "removed", "changed"):
        if answer[word]:
            click.echo(f"{word}: {plain(', '.join(answer[word]))}")
    for problem in answer["problems"]:
        click.echo(f"! {plain(problem)}", err=True)
    if not answer["files"]:
        click.echo("no difference", err=True)


@click.command("rollback")
@click.argument("digest", required=False)
@click.option("--reason", help="Why; kept in the log and in the history.")
@click.option("--undo", is_flag=True, help="Put the policy files on disk in force again.")
@socket_option
@json_option
def rollback(admin: Admin, as_json: bool, digest: str | None, reason: str | None, undo: bool) -> None:
    """Go back to the policies of DIGEST, as history shows it, at once (role admin).

    They stay in force over restarts and reloads until the policy files change, or until --undo.
    """
    if undo == (digest is not None):
        raise click.UsageError("expected the digest of a set, or --undo")
    if undo:
        answer = asked(lambda: admin.post(at("policies", "rollback", "undo")))
    else:
        if not reason:
            raise click.UsageError("why? say --reason")
        answer = asked(lambda: admin.post(at("policies", "rollback"), {"digest": digest, "reason": reason}))
    if as_json:
        show_json(answer)
        return
    click.echo(f"policies {short(answer['digest'])} are in force since generation {answer['generation']}")
    for warning in answer["warnings"]:
        click.echo(f"! {plain(warning)}", err=True)
