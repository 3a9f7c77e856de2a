"""`doorward check`: the configuration and its policies, validated without serving."""

import sys
from pathlib import Path

import click

from doorward.app.examination import Against, Examination, examine
from doorward.cli.options import config_option
from doorward.cli.shown import plain


@click.command()
@config_option
@click.option("--without-catalog", is_flag=True, help="Do not read the accepted catalogue in the state directory.")
@click.option("--strict", is_flag=True, help="Fail for policies that name what is not accepted (yet), too.")
def command(config: Path, without_catalog: bool, strict: bool) -> None:
    """Validate configuration and policies without serving; every problem with its file and line (exit code 1 if there is one)."""
    found = examine(config, Against.NOTHING if without_catalog else Against.ACCEPTED)
    is_sound = not found.problems and not (strict and found.warnings)
    for line in (*found.problems, *found.warnings):
        click.echo(plain(line))
    for line in found.notes:
        click.echo(plain(line), err=True)
    if is_sound:
        click.echo(_summary(config, found), err=True)
    sys.exit(0 if is_sound else 1)


def _summary(config: Path, found: Examination) -> str:
    return f"{config} is sound (upstreams: {found.upstreams}, policies: {found.policies}, checked against {found.catalogue})"
