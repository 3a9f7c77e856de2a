"""`doorward guard`: who looks at messages, and what one message would meet; needs no gateway."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NoReturn

import click

from doorward.app.examination import Against
from doorward.app.probing import Probe, of_json, of_text, said_of
from doorward.app.trying import Listed, Met, TrialError, Trying
from doorward.cli.options import config_option, json_option
from doorward.cli.shown import plain, show_json, show_table, show_tree
from doorward.domain.calls import Fault
from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Disposition, Part, Severity
from doorward.inspection.labels import FINDINGS_KEY
from doorward.inspection.view import Carrier
from doorward.policy.dispose import Row
from doorward.wire.jsonrpc import dump

BROKEN = 2
"""Exit code where configuration, guard or message cannot be read, so that nothing was tried."""

_WORDS: Mapping[Disposition, str] = {Disposition.REDACT: "mask"}
"""What the configuration calls a disposition, where it is another word."""


@click.group()
def command() -> None:
    """Guards: what looks at messages on their way, and what is done about what they find."""


@command.command("list")
@config_option
@json_option
def list_(config: Path, as_json: bool) -> None:
    """List the guards of a configuration with what is done about their findings, by severity: low, medium, high."""
    try:
        every = Trying(config, Against.NOTHING).listed()
    except TrialError as error:
        _end(error.lines)
    if as_json:
        show_json({"guards": [_as_json(one) for one in every]})
        return
    show_table(
        ("guard", "kind", "requests", "responses", "own rules", "looks for"),
        [(one.name, one.kind, _row(one.requests), _row(one.responses), ", ".join(map(str, one.ruled)), one.about) for one in every],
    )


@command.command("test")
@config_option
@click.argument("name", required=False, default="")
@click.option("--all", "all_", is_flag=True, help="Show it to all guards, as where none is named.")
@click.option("--file", type=click.File("rb"), help="The message: a JSON-RPC message, or arguments, a result or params alone; - reads it.")
@click.option("--text", help="A text, as the only argument or content.")
@click.option("--direction", type=click.Choice([one.value for one in Carrier]), default="response", show_default=True, help="What it is.")
@click.option("--upstream", default="", help="Whose.")
@click.option("--tool", default="", help="Of which tool, by its own name.")
@click.option("--agent", default="", help="Who calls.")
@click.option("--team", default="", help="The team of who calls.")
@click.option("--without-catalog", is_flag=True, help="Do not read the accepted catalogue in the state directory.")
@json_option
def test(config: Path, name: str, file: IO[bytes] | None, text: str | None, **said: object) -> None:
    """Show one message to the guards of a configuration, or to one: what is found, what would be done, what would be passed on.

    Exit code 0 means that it would be passed on as it is, 1 that it would not, 2 that something cannot be read.
    """
    if (file is None) == (text is None) or (name and said["all_"]):
        raise click.UsageError("expected one of --file and --text, and one of NAME and --all")
    try:
        probe = _probe(text if file is None else file.read(), said)
        met = Trying(config, Against.NOTHING if said["without_catalog"] else Against.ACCEPTED).met(probe, name)
    except TrialError as error:
        _end(error.lines)
    except DoorwardError as error:
        _end((str(error),))
    if said["as_json"]:
        show_json(_as_json_met(met))
    else:
        _show(met)
    sys.exit(0 if met.passed == probe.body and not met.labels else 1)


def _probe(given: str | bytes | None, said: Mapping[str, object]) -> Probe:
    carrier = Carrier(str(said["direction"]))
    probe = of_json(carrier, given) if isinstance(given, bytes) else of_text(carrier, given or "")
    return said_of(probe, (str(said["upstream"]), str(said["tool"])), (str(said["agent"]), str(said["team"])))


def _end(lines: Sequence[str]) -> NoReturn:
    for line in lines:
        click.echo(plain(line), err=True)
    sys.exit(BROKEN)


def _show(met: Met) -> None:
    for line in met.notes:
        click.echo(plain(line), err=True)
    for finding, place in zip(met.findings, met.rules, strict=True):
        by = "by default" if place is None else f"dispositions[{place}]"
        where = f"{finding.pointer or 'the whole'}{' (name)' if finding.part is Part.KEY else ''}"
        span = "" if finding.start == finding.end else f" {finding.start}-{finding.end}"
        click.echo(plain(f"{finding.guard}/{finding.rule} {finding.severity} at {where}{span}: {_word(finding.done)} ({by})"))
    if not met.findings:
        click.echo("nothing is found")
    if met.refused:
        click.echo(plain(f"refused: {met.refused}"))
        return
    click.echo("passed on:")
    show_tree(_body(met), 1)


def _word(done: Disposition | None) -> str:
    return "" if done is None else _WORDS.get(done, done.value)


def _body(met: Met) -> object:
    body = met.passed
    if isinstance(body, Fault):
        return {"code": body.code, "message": body.message, "data": body.data}
    return {**body, "_meta": {FINDINGS_KEY: list(met.labels)}} if met.labels and body is not None else body


def _as_json_met(met: Met) -> Mapping[str, object]:
    found = [
        {
            "guard": finding.guard,
            "rule": finding.rule,
            "severity": finding.severity.value,
            "pointer": finding.pointer,
            "part": finding.part.value,
            "start": finding.start,
            "end": finding.end,
            "then": _word(finding.done),
            "by": place,
        }
        for finding, place in zip(met.findings, met.rules, strict=True)
    ]
    return {"findings": found, "refused": met.refused, "passed": _plain_json(_body(met)), "notes": list(met.notes)}


def _plain_json(value: object) -> object:
    """A value with its fractions as JSON has them."""
    return json.loads(dump(value))


def _as_json(one: Listed) -> Mapping[str, object]:
    return {
        "name": one.name,
        "kind": one.kind,
        "about": one.about,
        "rules": {rule: severity.value for rule, severity in one.rules.items()},
        "request": dict(zip(Severity, _row(one.requests).split(), strict=True)),
        "response": dict(zip(Severity, _row(one.responses).split(), strict=True)),
        "dispositions": list(one.ruled),
    }


def _row(row: Row) -> str:
    return " ".join(_word(row.of(severity)) for severity in Severity)
