"""`doorward receipt`: the proof of one call, in one file."""

from pathlib import Path

import click

from doorward.cli.options import asked, socket_option
from doorward.cli.shown import show_json
from doorward.cli.written import write_new
from doorward.client.admin import Admin, at


@click.command()
@click.argument("call")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="A new file to write; default: standard output.")
@socket_option
def command(admin: Admin, call: str, output: Path | None) -> None:
    """Export the proof of one call, for `doorward log verify --receipt` or the verifier alone."""
    answer = asked(lambda: admin.get(at("receipts", call)))
    if output is None:
        show_json(answer)
        return
    write_new(output, answer)
    click.echo(f"the receipt of {call} is in {output}", err=True)
