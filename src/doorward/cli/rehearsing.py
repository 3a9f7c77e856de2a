"""`doorward policy test` and `lint`: policies tried and looked over without a gateway, for their authors and for CI."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from doorward.app.examination import Against
from doorward.app.rehearsal import Rehearsal, look_over, rehearse
from doorward.cli.options import config_option, json_option
from doorward.cli.shown import plain, show_json
from doorward.policy.remarks import Gravity, Remark
from doorward.policy.telling import shown
from doorward.policy.trial import Verdict, effect, told

BROKEN = 2
"""Exit code where document, policies or tests cannot be read, so that nothing was tried."""


@click.command("test")
@config_option
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--without-catalog", is_flag=True, help="Do not read the accepted catalogue; the tests bring their tools.")
@click.option("--strict", is_flag=True, help="Fail for policies that decide in no test, too.")
@json_option
def test(config: Path, paths: tuple[Path, ...], without_catalog: bool, strict: bool, as_json: bool) -> None:
    """Run the tests of policies in PATHS, by default those that the configuration names; needs no gateway.

    Exit code 1 means that something is not as expected, 2 that something cannot be read.
    """
    found = rehearse(config, paths, Against.NOTHING if without_catalog else Against.ACCEPTED)
    failed = [verdict for verdict in found.verdicts if not verdict.is_met]
    if as_json:
        show_json(_as_json(found))
    else:
        _show(found, failed)
    if found.problems:
        sys.exit(BROKEN)
    sys.exit(1 if failed or (strict and found.idle) else 0)


def _show(found: Rehearsal, failed: list[Verdict]) -> None:
    for line in found.problems:
        click.echo(plain(line))
    for line in found.notes:
        click.echo(plain(line), err=True)
    if found.problems:
        return
    for verdict in failed:
        click.echo(plain(_line(verdict)))
    for rule in found.idle:
        click.echo(plain(f"{rule.source.path}:{rule.spot.line}: policy {rule.id} decides in no test"))
    met = len(found.verdicts) - len(failed)
    decided = found.policies - len(found.idle)
    click.echo(
        f"{met} of {len(found.verdicts)} tests are as expected; {decided} of {found.policies} policies decided in one of them", err=True
    )


def _line(verdict: Verdict) -> str:
    trial = verdict.trial
    # Who calls what stands in the test itself.
    read = [fact for fact in verdict.facts if "." in fact.name]
    facts = ", ".join(f"{fact.name} = {shown(fact.value)}" if fact.is_there else f"no {fact.name}" for fact in read)
    return f"{trial.path}:{trial.line}: {trial.name}: {'; '.join(verdict.faults)}; facts: {facts or 'none'}"


def _as_json(found: Rehearsal) -> Mapping[str, object]:
    return {
        "problems": found.problems,
        "tests": [_verdict(verdict) for verdict in found.verdicts],
        "idle": [{"policy": rule.id, "path": rule.source.path, "line": rule.spot.line} for rule in found.idle],
    }


def _verdict(verdict: Verdict) -> Mapping[str, object]:
    trial = verdict.trial
    return {
        "name": trial.name,
        "path": trial.path,
        "line": trial.line,
        "is_met": verdict.is_met,
        "effect": effect(verdict.decision),
        "policies": verdict.decision.policies,
        "got": told(verdict.decision),
        "faults": verdict.faults,
        "facts": {fact.name: shown(fact.value) for fact in verdict.facts if fact.is_there},
    }


@click.command("lint")
@config_option
@click.option("--without-catalog", is_flag=True, help="Do not read the accepted catalogue; what the files of tests bring is all there is.")
@click.option("--strict", is_flag=True, help="Fail for warnings, too.")
@json_option
def lint(config: Path, without_catalog: bool, strict: bool, as_json: bool) -> None:
    """Look policies over for what decides nothing, or lets more through than it looks like; needs no gateway.

    Exit code 1 means that a policy does not do what it says, 2 that something cannot be read.
    """
    found = look_over(config, Against.NOTHING if without_catalog else Against.ACCEPTED)
    if as_json:
        show_json({"problems": found.problems, "remarks": [_remark(one) for one in found.remarks]})
    else:
        for line in (*found.problems, *map(str, found.remarks)):
            click.echo(plain(line))
        for line in found.notes:
            click.echo(plain(line), err=True)
    if found.problems:
        sys.exit(BROKEN)
    failing = {Gravity.ERROR, Gravity.WARNING} if strict else {Gravity.ERROR}
    sys.exit(1 if any(one.gravity in failing for one in found.remarks) else 0)


def _remark(one: Remark) -> Mapping[str, object]:
    return {
        "rule": one.rule,
        "gravity": one.gravity,
        "policy": one.policy,
        "path": one.path,
        "line": one.line,
        "column": one.column,
        "sentence": one.sentence,
        "advice": one.advice,
    }
