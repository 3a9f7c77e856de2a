"""`doorward limit`: the limits in force."""

from collections.abc import Mapping
from typing import Any

import click

from doorward.cli.options import asked, json_option, socket_option
from doorward.cli.shown import show_json, show_table
from doorward.client.admin import Admin, at

BUSIEST = 3
"""Keys of a limit that a line names; `--json` has more."""


@click.group()
def command() -> None:
    """How often, and how many at once."""


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List the limits, and who comes nearest to each."""
    answer = asked(lambda: admin.get(at("limits")))
    if as_json:
        show_json(answer)
        return
    rows = [(one["name"], _bound(one), " ".join(one["per"]) or "all", _of(one["of"]), _busiest(one["busiest"])) for one in answer["limits"]]
    show_table(("limit", "bound", "per", "of", "busiest"), rows)


def _bound(limit: Mapping[str, Any]) -> str:
    rate = limit["rate"]
    if rate is not None:
        return f"{rate['calls']} in {rate['seconds']} s, {rate['burst']} at once"
    return f"{limit['concurrent']} at once" if limit["bytes"] is None else f"{limit['bytes']} bytes at once"


def _of(selection: Mapping[str, Any]) -> str:
    return "; ".join(f"{name}: {', '.join(chosen)}" for name, chosen in selection.items()) or "everything"


def _busiest(busiest: list[Mapping[str, Any]]) -> str:
    return "; ".join(f"{' '.join(one['key'].values()) or 'all'}: {one['used']}, {one['left']} left" for one in busiest[:BUSIEST])
