"""`doorward import`: a client's mcpServers file as upstreams, and the client's new file."""

from pathlib import Path

import click

from doorward.cli.shown import plain
from doorward.cli.written import write_new
from doorward.config.imports import Client, Imported, client_of, import_file
from doorward.config.problems import ConfigError

_MOST_BYTES = 16 * 2**20
"""Claude Code keeps its history in the file that holds its servers."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True, allow_dash=True))
@click.option("--client", type=click.Choice([client.value for client in Client]), help="Whose file it is; default: by its name and shape.")
@click.option("--url", default="http://127.0.0.1:8420", show_default=True, help="How the client reaches this gateway.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="A new file for the YAML; default: standard output.")
def command(file: Path, client: str | None, url: str, output: Path | None) -> None:
    """Turn a client's mcpServers FILE (Claude Desktop, Claude Code, Cursor, VS Code) into upstreams of doorward.yaml.

    The YAML goes to standard output or --output. The client's new file, the variables to set and what to look at are told besides;
    no secret is written anywhere.
    """
    text = _text(file)
    try:
        found = import_file(text, Client(client) if client else client_of(str(file), text), url)
    except ConfigError as error:
        raise click.ClickException("\n".join(f"{file}:{problem}" for problem in error.problems)) from error
    if output is None:
        click.echo(found.upstreams, nl=False)
    else:
        write_new(output, found.upstreams)
        click.echo(f"the upstreams are in {output}", err=True)
    _tell(found, is_piped=output is None)


def _text(file: Path) -> str:
    try:
        with click.open_file(str(file), "rb") as stream:
            raw: bytes = stream.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise click.ClickException(f"expected at most {_MOST_BYTES} bytes in {file}")
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"expected UTF-8 in {file}, byte {error.start + 1} is not") from error
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}") from error


def _tell(found: Imported, *, is_piped: bool) -> None:
    """The client's file goes to standard output too, unless the YAML is there already."""
    click.echo("\nThe client's new file:\n", err=True)
    click.echo(found.client, nl=False, err=is_piped)
    if found.variables:
        click.echo("\nSet these before `doorward serve`; their values are in the client's old file:\n", err=True)
        for name, purpose in found.variables.items():
            click.echo(f"  {name}  ({plain(purpose)})", err=True)
    for note in found.notes:
        click.echo(f"! {plain(note)}", err=True)
