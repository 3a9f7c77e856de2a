"""`doorward secret`: the secrets that the configuration refers to, without their values."""

from collections.abc import Mapping
from typing import Any

import click

from doorward.cli.options import asked, json_option, socket_option
from doorward.cli.shown import minute, plain, show_json, show_table
from doorward.client.admin import Admin, at


@click.group()
def command() -> None:
    """The secrets that the configuration refers to; never their values."""


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List every reference: where it stands, whose it is, its age and last use, whether it can be read; and secrets that nothing refers to."""
    answer = asked(lambda: admin.get(at("secrets")))
    if as_json:
        show_json(answer)
        return
    rows = [
        (
            one["reference"],
            ", ".join(one["places"]),
            ", ".join(one["owners"]) or "the gateway",
            f"{minute(one['made_at'])}{' (old)' if one['old'] else ''}" if one["made_at"] else "unknown",
            minute(one["used_at"]) if one["used_at"] else "not yet",
            _state(one),
        )
        for one in answer["secrets"]
    ]
    show_table(("secret", "used at", "owner", "made", "last leased", "state"), rows)
    for name in answer["unused"]:
        click.echo(f"unused: {plain(name)}")
    for trouble in answer["troubles"]:
        click.echo(f"not looked at: {plain(trouble)}")


def _state(one: Mapping[str, Any]) -> str:
    match one["resolves"]:
        case None:
            return "not read yet"
        case True:
            return "borrowed" if one["borrowed"] else "there"
        case _:
            return f"missing: {one['why']}"
