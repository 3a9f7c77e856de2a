"""`doorward policy replay`: recorded calls decided by other policies."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from doorward.cli.candidates import read_candidate
from doorward.cli.options import INCOMPLETE, asked, given, json_option, socket_option
from doorward.cli.shown import plain, short, show_json, show_table
from doorward.client.admin import Admin, at

REPLAY_SECONDS = 600.0
"""For the whole answer; the gateway itself gives up earlier, and says that there is more."""


@click.command("replay")
@click.argument("candidate", nargs=-1)
@click.option("--team", "layers", multiple=True, metavar="TEAM=FILES", help="Files of a team's layer.")
@click.option("--since", default="7d", show_default=True, help="RFC 3339, or how long ago: 90s, 15m, 24h, 7d.")
@click.option("--until", help="Before this moment; as --since.")
@click.option("--agent", help="Only calls of this agent.")
@click.option("--upstream", help="Only calls to this upstream.")
@click.option(
    "--exit-code", is_flag=True, help="Exit with 1 if a decision would change, with 3 if none would that is known but not all are."
)
@socket_option
@json_option
def replay(admin: Admin, as_json: bool, candidate: tuple[str, ...], layers: tuple[str, ...], exit_code: bool, **span: str | None) -> None:
    """Decide the recorded calls by the policies of CANDIDATE (files, directories, patterns) and list what would change (role auditor).

    The files take the place of the global layer, those of --team of that team's; what no file is given for stays as it is in force.
    Nothing is called. What the log does not hold any more counts as unknown, never as allowed.
    """
    if not candidate and not layers:
        raise click.UsageError("which policies? name files, directories or patterns")
    body = {"files": read_candidate(candidate, layers), **given(**span)}
    patient = Admin(admin.door, REPLAY_SECONDS)
    answer = asked(lambda: patient.post(at("policies", "replay"), body))
    if as_json:
        show_json(answer)
    else:
        _show(answer)
    if exit_code:
        sys.exit(_code(answer))


def _code(answer: Mapping[str, Any]) -> int:
    if answer["changed"]:
        return 1
    return INCOMPLETE if answer["unknown"] or not answer["is_whole"] else 0


def _show(answer: Mapping[str, Any]) -> None:
    changes = [
        (
            one["agent"],
            _what(one),
            f"{one['before']['effect']} → {one['after']['effect']}",
            one["calls"],
            f"{_policies(one['before'])} → {_policies(one['after'])}",
            one["last"][:16].replace("T", " "),
            one["example"],
        )
        for one in answer["changes"]
    ]
    if changes:
        show_table(("agent", "what", "recorded → candidate", "calls", "policies", "last", "example"), changes)
    _more(answer["more_changes"], "changed")
    unknowns = [(one["agent"], _what(one), one["before"], one["calls"], one["why"], one["example"]) for one in answer["unknowns"]]
    if unknowns:
        click.echo("NOT KNOWN")
        show_table(("agent", "what", "recorded", "calls", "why", "example"), unknowns)
    _more(answer["more_unknowns"], "unknown")
    click.echo(
        f"{answer['calls']} calls by {short(answer['candidate'])}: {answer['same']} the same, {answer['changed']} changed,"
        f" {answer['unknown']} unknown, {answer['undecided']} not decided by policy{_undecided(answer)}"
    )
    for warning in answer["warnings"]:
        click.echo(f"! {plain(warning)}", err=True)
    if not answer["is_whole"]:
        click.echo(
            "! there is more: the newest calls alone were looked at; narrow it with --since, --until, --agent or --upstream", err=True
        )


def _what(one: Mapping[str, Any]) -> str:
    return f"{one['upstream']}/{one['name']}" if one["upstream"] else str(one["name"])


def _policies(verdict: Mapping[str, Any]) -> str:
    return ", ".join(verdict["policies"]) or "–"


def _more(calls: int, word: str) -> None:
    if calls:
        click.echo(f"and {calls} more that are {word}, of other agents and tools")


def _undecided(answer: Mapping[str, Any]) -> str:
    told = ", ".join(f"{one['reason']} {one['calls']}" for one in answer["not_decided_by_policy"])
    return f" ({plain(told)})" if told else ""
