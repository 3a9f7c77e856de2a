"""Files that commands write: new ones; what is there already is somebody's."""

import json
from pathlib import Path

import click


def write_new(path: Path, contents: object) -> None:
    """Writes text, or another value as JSON, to a file that is not there yet; a clean exit where that cannot be."""
    text = contents if isinstance(contents, str) else json.dumps(contents, indent=2) + "\n"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.ClickException(f"{path} is there already; name a new file") from None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
