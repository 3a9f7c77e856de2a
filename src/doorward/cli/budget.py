"""`doorward budget`: how budgets stand, and raising one until an end."""

from collections.abc import Mapping
from typing import Any

import click

from doorward.cli.ends import minutes, moment
from doorward.cli.options import asked, done, json_option, socket_option
from doorward.cli.shown import minute, plain, show_json, show_table
from doorward.client.admin import Admin, at
from doorward.domain.moments import spoken


@click.group()
def command() -> None:
    """Budgets: how much may be used in all until a window ends."""


@command.command("list")
@socket_option
@json_option
def list_(admin: Admin, as_json: bool) -> None:
    """List the budgets, and who has used most of each."""
    answer = asked(lambda: admin.get(at("budgets")))
    if as_json:
        show_json(answer)
        return
    rows = [row for one in answer["budgets"] for row in _rows(one)]
    show_table(("budget", "limit", "per", "whose", "spent", "left", "renews"), rows)
    for one in answer["budgets"]:
        _show_raises(one)


@command.command("show")
@click.argument("budget")
@socket_option
@json_option
def show(admin: Admin, budget: str, as_json: bool) -> None:
    """Show one budget with everybody who has used some of it, and what it is raised by."""
    answer = asked(lambda: admin.get(at("budgets", budget)))
    if as_json:
        show_json(answer)
        return
    click.echo(plain(f"{answer['name']}: {_unit(answer, answer['limit'])} {_window(answer)}, team {answer['team']}"))
    show_table(
        ("whose", "spent", "limit", "left", "renews"),
        [(*_whose(key), key["limit"], key["left"], minute(key["renews"])) for key in answer["keys"]],
    )
    _show_raises(answer)


@command.command("raise")
@click.argument("budget")
@click.option("--by", required=True, help="How much more it holds, in its own unit: a decimal number.")
@click.option(
    "--key", "keys", multiple=True, help="Whose, as agent=claude; once for each thing that is counted apart. Without it, for all."
)
@click.option("--reason", required=True, help="Why; kept in the log.")
@click.option("--for", "span", help="How long: 90m, 8h, 7d; at most 90d.")
@click.option("--until", help="When it ends instead: RFC 3339, or a date for its beginning in UTC.")
@socket_option
@json_option
def raise_(admin: Admin, as_json: bool, budget: str, **wanted: Any) -> None:
    """Let a budget hold more until an end. Nobody may for themselves, or for an agent of theirs."""
    if (wanted["span"] is None) is (wanted["until"] is None):
        raise click.UsageError("say when it ends: either --for or --until")
    end = {"minutes": minutes(wanted["span"])} if wanted["span"] is not None else {"until": moment(wanted["until"])}
    key = {"key": dict(map(_pair, wanted["keys"]))} if wanted["keys"] else {}
    answer = asked(lambda: admin.post(at("budgets", budget, "raises"), {"by": wanted["by"], "reason": wanted["reason"], **key, **end}))
    if as_json:
        show_json(answer)
        return
    done(answer, f"raise {answer['id']}: {budget} holds {wanted['by']} more until {spoken(answer['ends'])}")


@command.command("end")
@click.argument("budget")
@click.argument("raise_id", metavar="RAISE")
@socket_option
def end(admin: Admin, budget: str, raise_id: str) -> None:
    """End a raise of a budget now."""
    done(asked(lambda: admin.delete(at("budgets", budget, "raises", raise_id))), f"raise {raise_id} of {budget} has ended")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise click.BadParameter(f"expected a name and a value, such as agent=claude, got {text[:80]!r}")
    return name, value


def _rows(budget: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """A row for each key, or one where nobody has used anything."""
    head = (budget["name"], f"{_unit(budget, budget['limit'])} {_window(budget)}", " ".join(budget["per"]))
    return [(*head, *_whose(key), key["left"], minute(key["renews"])) for key in budget["keys"]] or [(*head, "", "", "", "")]


def _whose(key: Mapping[str, Any]) -> tuple[str, str]:
    return " ".join(f"{name}={part}" for name, part in key["key"].items()) or "everybody", key["spent"]


def _unit(budget: Mapping[str, Any], number: str) -> str:
    return f"{number} {budget['currency'] or ''}".rstrip() if budget["unit"] == "amount" else f"{number} {budget['unit']}"


def _window(budget: Mapping[str, Any]) -> str:
    return f"in {budget['window']} s" if budget["window"].isdigit() else f"a {budget['window']} ({budget['timezone']})"


def _show_raises(budget: Mapping[str, Any]) -> None:
    for one in budget["raises"]:
        whose = "all" if one["key"] is None else " ".join(f"{name}={part}" for name, part in one["key"].items())
        told = f"+ {one['id']}: {budget['name']} of {whose} holds {one['by']} more until {spoken(one['ends'])}; {one['given_by']}: {one['reason']}"
        click.echo(plain(told))
