"""`doorward policy explain --receipt`: how a recorded call was decided."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from doorward.cli.options import asked
from doorward.cli.shown import plain, short, show_json
from doorward.client.admin import Admin, at

Show = Callable[[Mapping[str, Any]], None]


def explain_receipt(admin: Admin, as_json: bool, call: str, show: Show) -> None:
    """Prints what was recorded, what the policies of that time say of it, and what those of today would; `show` prints an explanation."""
    answer = asked(lambda: admin.get(at("policies", "explain", call)))
    if as_json:
        show_json(answer)
        return
    recorded = answer["recorded"]
    effect = recorded["effect"].upper() if recorded else "NOT DECIDED BY POLICY"
    click.echo(f"recorded at {answer['at'][:19]}Z of {plain(answer['agent'])}: {effect}{_by(recorded)}")
    if answer["reason"]:
        click.echo(f"  refused: {plain(answer['reason'])}{': ' if answer['detail'] else ''}{plain(answer['detail'])}")
    click.echo(f"  policies {short(answer['policy_set']) or 'unknown'}, generation {answer['generation']}")
    _show_today(answer)
    for line in answer["lost"]:
        click.echo(f"! {plain(line)}", err=True)
    if answer["then"] is not None:
        click.echo("BY THE POLICIES OF THAT TIME")
        show(answer["then"])
    if answer["agrees"] is False:
        click.echo("! this is not what was recorded: the catalogue, or what is known of the agent, is another one by now", err=True)


def _show_today(answer: Mapping[str, Any]) -> None:
    if answer["today"] is None:
        click.echo(f"  today: unknown: {plain('; '.join(answer['today_lost']))}")
        return
    otherwise = {True: "otherwise", False: "the same", None: "by policy"}[answer["differs"]]
    click.echo(f"  today: {otherwise}: {answer['today']['effect'].upper()}{_by(answer['today'])}")


def _by(verdict: Mapping[str, Any] | None) -> str:
    return f" by {plain(', '.join(verdict['policies']))}" if verdict and verdict["policies"] else ""
