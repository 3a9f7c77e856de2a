"""`doorward serve`: runs the gateway."""

import sys
from pathlib import Path

import click

from doorward.app.main import serve
from doorward.cli.options import config_option


@click.command()
@config_option
def command(config: Path) -> None:
    """Run the gateway until SIGTERM; SIGHUP reads the configuration again."""
    sys.exit(serve(config))
