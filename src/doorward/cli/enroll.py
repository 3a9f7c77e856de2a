"""`doorward agent enroll`: a certificate for the agent on this machine, and its renewal from a timer."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from doorward.cli.shown import plain
from doorward.client.enrolling import EnrollError, Proof, enrolled
from doorward.client.identity_files import IdentityFiles, IdentityFilesError, is_due


@click.command("enroll")
@click.option("--url", required=True, help="The gateway, such as https://mcp.example.com.")
@click.option(
    "--directory", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where key and certificate are, or will be."
)
@click.option("--key-env", default="DOORWARD_KEY", show_default=True, help="Environment variable that holds the agent key.")
@click.option(
    "--ca-file", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="The only authorities the gateway may come from (PEM)."
)
@click.option("--renew", is_flag=True, help="Renew the certificate if less than a third of its life is left, with itself as proof.")
def command(url: str, directory: Path, key_env: str, ca_file: Path | None, renew: bool) -> None:
    """Get a certificate for an agent, or renew it.

    The key is made here (agent.key) and stays here; the certificate and its root are in agent.pem.
    """
    files = IdentityFiles(directory)
    try:
        proof = _renewal(files, key_env) if renew else _first(files, key_env)
        if proof is None:
            return
        leaf = files.keep(enrolled(url, files.request(), proof, ca_file))
    except (EnrollError, IdentityFilesError) as error:
        raise click.ClickException(plain(str(error))) from error
    click.echo(f"{files.chain_path} is valid until {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC")


def _first(files: IdentityFiles, key_env: str) -> Proof:
    if files.chain_path.exists():
        raise click.ClickException(f"{files.chain_path} is there already; --renew renews it")
    key = _key(key_env)
    if not key:
        raise click.UsageError(f"the agent key was expected in the environment variable {key_env}")
    return Proof(key)


def _renewal(files: IdentityFiles, key_env: str) -> Proof | None:
    """What the renewal is proven with; None where none is due."""
    certificate, now = files.certificate(), datetime.now(UTC)
    if certificate is None:
        raise click.ClickException(f"there is no certificate in {files.directory} to renew; leave out --renew the first time")
    if not is_due(certificate, now):
        return None
    if certificate.not_valid_after_utc > now:
        return Proof(chain=files.chain_path, private_key=files.key_path)
    key = _key(key_env)
    if not key:
        raise click.ClickException(f"{files.chain_path} has expired; only an agent key in {key_env} can renew it now")
    return Proof(key)


def _key(variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise click.UsageError("a key of visible ASCII was expected")
    return key
