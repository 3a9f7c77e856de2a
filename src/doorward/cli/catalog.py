"""`doorward catalog`: what upstreams offer, and whether it is accepted."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from doorward.cli.options import asked, done, given, json_option, socket_option
from doorward.cli.shown import plain, short, show_json, show_table, show_text
from doorward.client.admin import Admin, at

KINDS = click.Choice(["tool", "prompt", "template", "instructions", "program"])
_KEY = ("upstream", "kind", "name")


@click.group()
def command() -> None:
    """What upstreams offer, and whether it is accepted."""


@command.command("list")
@click.option("--upstream", help="Only of this upstream.")
@click.option("--kind", type=KINDS, help="Only of this kind.")
@click.option("--standing", type=click.Choice(["approved", "new", "drifted", "gone", "dropped"]), help="Only of this standing.")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool, upstream: str | None, kind: str | None, standing: str | None) -> None:
    """List definitions with their standing; what was dropped says why."""
    answer = asked(lambda: admin.get(at("catalog"), given(upstream=upstream, kind=kind, standing=standing)))
    if as_json:
        show_json(answer)
        return
    rows = [
        (item["upstream"], item["kind"], item["name"], item["standing"], short(item["digest"]), item["note"]) for item in answer["items"]
    ]
    show_table((*_KEY, "standing", "digest", "note"), rows)


@command.command("diff")
@click.argument("upstream", required=False)
@socket_option
@json_option
def diff(admin: Admin, as_json: bool, upstream: str | None) -> None:
    """Show what is new or has drifted, whole, with invisible characters made visible (exit code 1 if anything waits)."""
    items = _waiting(admin, upstream)
    if as_json:
        show_json(items)
    else:
        for item in items:
            _show(item)
    sys.exit(1 if items else 0)


@command.command("approve")
@click.argument("upstream")
@click.argument("names", nargs=-1)
@click.option("--kind", type=KINDS, help="Only of this kind.")
@click.option("--all", "everything", is_flag=True, help="Everything of this upstream that waits now.")
@click.option("--digest", default="", help="Only if the definition still has this digest (or one that begins so).")
@click.option("--despite", multiple=True, metavar="RULE", help="Accept it although this rule found something high in it; may be repeated.")
@socket_option
def approve(admin: Admin, upstream: str, names: tuple[str, ...], **wanted: Any) -> None:
    """Accept definitions as `diff` shows them now. What has a high finding is accepted only when each such rule is named."""
    if bool(names) is wanted["everything"]:
        raise click.UsageError("name what to approve, or say --all")
    chosen = [
        item
        for item in _waiting(admin, upstream)
        if (wanted["everything"] or item["name"] in names)
        and wanted["kind"] in (None, item["kind"])
        and item["digest"].startswith(wanted["digest"])
    ]
    missing = sorted(set(names) - {item["name"] for item in chosen})
    if missing or not chosen:
        raise click.ClickException(f"nothing that waits is called {plain(', '.join(missing)) or 'so'} (with that kind and digest)")
    _check_named(chosen, wanted["despite"])
    items = [{**{field: item[field] for field in (*_KEY, "digest")}, "despite": wanted["despite"]} for item in chosen]
    answer = asked(lambda: admin.post(at("catalog", "approve"), {"items": items}))
    for item in chosen:
        click.echo(f"{item['upstream']} {item['kind']} {plain(item['name'])} {short(item['digest'])}")
    click.echo(f"accepted {answer['count']}, generation {answer['generation']}")


@command.command("withdraw")
@click.argument("upstream")
@click.argument("names", nargs=-1, required=True)
@click.option("--kind", type=KINDS, default="tool", show_default=True, help="Of this kind.")
@socket_option
def withdraw(admin: Admin, upstream: str, names: tuple[str, ...], kind: str) -> None:
    """Withhold accepted definitions until they are accepted again."""
    items = [{"upstream": upstream, "kind": kind, "name": name} for name in names]
    answer = asked(lambda: admin.post(at("catalog", "withdraw"), {"items": items}))
    done(answer, f"withheld {answer['count']}, generation {answer['generation']}")


@command.command("refresh")
@click.argument("upstream")
@socket_option
@json_option
def refresh(admin: Admin, as_json: bool, upstream: str) -> None:
    """Look at an upstream now instead of when its list gets old."""
    answer = asked(lambda: admin.post(at("upstreams", upstream, "refresh")))
    if as_json:
        show_json(answer)
        return
    counts = ", ".join(f"{answer[what]} {what}" for what in ("tools", "prompts", "resources", "templates"))
    click.echo(f"{answer['upstream']} speaks {', '.join(map(plain, answer['versions']))}: {counts}")
    click.echo(f"{answer['waiting']} wait for approval, {answer['dropped']} dropped, generation {answer['generation']}")


def _check_named(chosen: list[dict[str, Any]], despite: tuple[str, ...]) -> None:
    """Ends the command where something high is not named: shown before anything is asked of the gateway, which asks for the same."""
    held = [(item, one) for item in chosen for one in item["findings"] if one["severity"] == "high" and one["rule"] not in despite]
    if not held:
        return
    for item, one in held:
        click.echo(f"{plain(item['name'])}: {one['rule']} at {plain(one['pointer']) or '/'}: {plain(one['detail'])}", err=True)
    rules = " ".join(f"--despite {rule}" for rule in sorted({one["rule"] for _, one in held}))
    raise click.ClickException(f"held back for what was found; to accept it all the same, say {rules}")


def _waiting(admin: Admin, upstream: str | None) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = asked(lambda: admin.get(at("catalog", "diff"), given(upstream=upstream)))["items"]
    return items


def _show(item: Mapping[str, Any]) -> None:
    click.echo(f"── {item['upstream']} {item['kind']} {plain(item['name'])}: {item['standing']} ({short(item['digest'])})")
    show_text(item["text"])
