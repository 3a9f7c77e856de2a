"""`doorward status`: whether the gateway is ready, and its upstreams."""

import sys

import click

from doorward.cli.options import asked, json_option, socket_option
from doorward.cli.shown import plain, show_json, show_table
from doorward.client.admin import Admin, at


@click.command()
@socket_option
@json_option
def command(admin: Admin, as_json: bool) -> None:
    """Show whether the gateway is ready (exit code 1 if not), and its upstreams."""
    answer = asked(lambda: admin.get(at("status")))
    if as_json:
        show_json(answer)
        sys.exit(0 if answer["ready"] else 1)
    click.echo(f"doorward {answer['version']}, generation {answer['generation']}, {'ready' if answer['ready'] else 'NOT READY'}")
    for mark, lines in (("✗", answer["reasons"]), ("✗", answer["problems"]), ("!", answer["warnings"])):
        for line in lines:
            click.echo(f"  {mark} {plain(line)}")
    rows = [
        (up["id"], up["state"], up["tools"], _withheld(up["withheld"], up["dropped"]), up["posture"], up["in_flight"], up["error"])
        for up in answer["upstreams"]
    ]
    for sink in answer["alerts"]:
        fails = f", FAILS: {plain(sink['failure'])}" if sink["failure"] else ""
        click.echo(f"  alerts to {plain(sink['name'])}: {sink['delivered']} sent, {sink['waiting']} wait, {sink['dropped']} dropped{fails}")
    show_table(("upstream", "state", "tools", "withheld", "posture", "in flight", "last error"), rows)
    sys.exit(0 if answer["ready"] else 1)


def _withheld(withheld: int, dropped: int) -> str:
    return f"{withheld} + {dropped} dropped" if dropped else str(withheld)
