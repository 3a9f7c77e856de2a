"""`doorward policy`: which policies decide, and why."""

import click

from doorward.cli.chronicling import diff, history, rollback
from doorward.cli.explaining import explain
from doorward.cli.options import asked, given, json_option, socket_option
from doorward.cli.rehearsing import lint, test
from doorward.cli.replaying import replay
from doorward.cli.shown import plain, show_json, show_table
from doorward.client.admin import Admin, at


@click.group()
def command() -> None:
    """Which policies decide, and why."""


command.add_command(explain)
command.add_command(history)
command.add_command(diff)
command.add_command(rollback)
command.add_command(replay)
command.add_command(test)
command.add_command(lint)


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


@command.command("observed")
@click.option("--since", default="7d", show_default=True, help="RFC 3339, or how long ago: 90s, 15m, 24h, 7d.")
@click.option("--agent", help="Only of this agent.")
@click.option("--upstream", help="Only of this upstream.")
@socket_option
@json_option
def observed(admin: Admin, as_json: bool, since: str, agent: str | None, upstream: str | None) -> None:
    """Count the calls that `posture: observe` let pass and policy would deny, and decisions that policies in observe mode would change."""
    answer = asked(lambda: admin.get(at("policies", "observed"), given(since=since, agent=agent, upstream=upstream)))
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            one["calls"],
            one["agent"],
            f"{one['upstream']}/{one['name']}",
            ", ".join(one["policies"]) or "–",
            one["detail"],
            one["last"][:16].replace("T", " "),
        )
        for one in answer["passes"]
    ]
    show_table(("calls", "agent", "what", "policies", "why", "last"), rows)
    shadows = [
        (
            one["calls"],
            one["agent"],
            f"{one['upstream']}/{one['name']}",
            ", ".join(one["after"]["policies"]) or "–",
            f"{one['before']['effect']} → {one['after']['effect']}",
            one["last"][:16].replace("T", " "),
        )
        for one in answer["changes"]
    ]
    if shadows:
        click.echo('DECISIONS THAT POLICIES WITH @mode("observe") WOULD CHANGE')
        show_table(("calls", "agent", "what", "policies", "recorded → enforced", "last"), shadows)
    if not answer["is_whole"]:
        click.echo("! there is more: the newest calls alone were counted", err=True)
