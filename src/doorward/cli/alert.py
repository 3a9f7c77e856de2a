"""`doorward alert`: whether alerts reach those whom they are meant for."""

import sys

import click

from doorward.cli.options import asked, json_option, socket_option
from doorward.cli.shown import show_json, show_table
from doorward.client.admin import Admin, at


@click.group()
def command() -> None:
    """Whether alerts reach those whom they are meant for."""


@command.command("test")
@socket_option
@json_option
def test(admin: Admin, as_json: bool) -> None:
    """Send a test to every webhook and syslog server of alerts, and say what each answered (exit code 1 if one did not take it)."""
    answer = asked(lambda: admin.post(at("alerts", "test")))
    if as_json:
        show_json(answer)
    elif not answer["sinks"]:
        click.echo("no alerts are sent anywhere: the configuration has no alerts.webhooks and no alerts.syslog")
    else:
        show_table(("sink", "took it", "answer"), [(one["sink"], "yes" if one["took"] else "NO", one["answer"]) for one in answer["sinks"]])
    sys.exit(0 if all(one["took"] for one in answer["sinks"]) else 1)
