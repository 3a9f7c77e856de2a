"""`doorward upstream`: the addresses of upstreams, and how each does."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from doorward.cli.options import asked, done, json_option, socket_option
from doorward.cli.shown import plain, show_json, show_table
from doorward.client.admin import Admin, at


@click.group()
def command() -> None:
    """The addresses of upstreams, and how each does."""


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List every address of every upstream."""
    _show(asked(lambda: admin.get(at("status")))["upstreams"], as_json)


@command.command("show")
@click.argument("name")
@socket_option
@json_option
def show(admin: Admin, as_json: bool, name: str) -> None:
    """Show the addresses of one upstream."""
    found = [one for one in asked(lambda: admin.get(at("status")))["upstreams"] if one["id"] == name]
    if not found:
        raise click.UsageError(f"no upstream {plain(name)!r}")
    _show(found, as_json)


@command.command("drain")
@click.argument("name")
@click.argument("address", required=False)
@socket_option
def drain(admin: Admin, name: str, address: str | None) -> None:
    """Send no more calls to an address, as `list` names it, or to all of an upstream; what runs there ends by itself.

    It holds until it is restored, the upstream's configuration changes, or the gateway starts again.
    """
    answer = asked(lambda: admin.post(at("upstreams", "drain"), {"upstream": name, "address": address}))
    done(answer, f"{address or name} is drained")


@command.command("restore")
@click.argument("name")
@click.argument("address", required=False)
@socket_option
def restore(admin: Admin, name: str, address: str | None) -> None:
    """Send calls to a drained address again."""
    answer = asked(lambda: admin.post(at("upstreams", "restore"), {"upstream": name, "address": address}))
    done(answer, f"{address or name} is restored")


def _show(upstreams: list[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        show_json({one["id"]: one["addresses"] for one in upstreams})
        return
    show_table(
        ("upstream", "address", "state", "in flight", "failures", "processes", "why"), [row for one in upstreams for row in _rows(one)]
    )


def _rows(upstream: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    for one in upstream["addresses"]:
        rest = f"for {one['seconds']:g} s: " if one["seconds"] else ""
        why = f"differs in {one['why']}" if one["why"] else f"{rest}{one['error']}"
        yield (upstream["id"], one["name"], one["state"], one["in_flight"], one["failures"], one["processes"] or "", why)
