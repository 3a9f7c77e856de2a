"""`doorward stop`: stands something still, now and in flight."""

import click

from doorward.cli.options import asked, done, json_option, socket_option
from doorward.cli.shown import minute, plain, show_json, show_table
from doorward.client.admin import Admin, at

KINDS = ("agent", "user", "client", "issuer", "family", "key", "certificate", "session", "upstream", "tool", "all")

NAMES = "a user is named ISSUER:NAME, a client ISSUER:ID, a tool UPSTREAM/TOOL, a certificate by its SHA-256"


def matter(kind: str, name: str | None) -> str:
    """What is meant, as the admin API names it; raises `click.UsageError`.

    Kind and name are two words (`user corp:alice`) or one (`user:corp:alice`).
    """
    if name is None and ":" in kind:
        kind, _, name = kind.partition(":")
    if kind not in KINDS:
        raise click.UsageError(f"expected one of {', '.join(KINDS)}, got {plain(kind)!r}")
    if (kind == "all") is bool(name):
        raise click.UsageError("`all` takes no name" if kind == "all" else f"which {kind}? ({NAMES})")
    return f"{kind}:{name}" if name else kind


@click.command()
@click.argument("kind", required=False)
@click.argument("name", required=False)
@click.option("--reason", help="Why; kept in the log.")
@socket_option
@json_option
def command(admin: Admin, as_json: bool, kind: str | None, name: str | None, reason: str | None) -> None:
    """Stop something, now and in flight: agent, user (ISSUER:NAME), client (ISSUER:ID), issuer, family, key, certificate, session,
    upstream, tool (UPSTREAM/TOOL) or all; without arguments, list what is stopped."""
    if kind is None:
        _list(admin, as_json)
        return
    if not reason:
        raise click.UsageError("a stop needs --reason")
    wanted = matter(kind, name)
    answer = asked(lambda: admin.post(at("stops"), {"matter": wanted, "reason": reason}))
    done(answer, f"{wanted} is stopped")


def _list(admin: Admin, as_json: bool) -> None:
    answer = asked(lambda: admin.get(at("stops")))
    if as_json:
        show_json(answer)
        return
    rows = [(stop["matter"], stop["effect"], minute(stop["since"]), stop["by"], stop["reason"]) for stop in answer["stops"]]
    show_table(("what", "effect", "since", "by", "reason"), rows)
