"""Connections to the gateway that show the certificate which `doorward agent enroll` keeps in a directory, as it is by then."""

import ssl
from collections.abc import Sequence
from pathlib import Path

import click

from doorward.cli.shown import plain
from doorward.client.identity_files import IdentityFiles
from doorward.net.connection import Response
from doorward.net.http import Pool
from doorward.net.tls import client_context

Headers = Sequence[tuple[str, str]]


class Certified:
    """A pool that goes on with a renewed certificate: it is renewed in place, under whoever shows it."""

    __slots__ = ("_context", "_files", "_pool", "_seen")

    def __init__(self, pool: Pool, context: ssl.SSLContext, files: IdentityFiles) -> None:
        """`context`: the one that the pool connects with, which shows the certificate of these files."""
        self._pool, self._context, self._files = pool, context, files
        self._seen = _stamp(files)

    async def post(self, headers: Headers, body: bytes) -> Response:
        """See `Pool`."""
        self._look()
        return await self._pool.post(headers, body)

    async def get(self, headers: Headers) -> Response:
        """See `Pool`."""
        self._look()
        return await self._pool.get(headers)

    async def delete(self, headers: Headers) -> Response:
        """See `Pool`."""
        return await self._pool.delete(headers)

    def _look(self) -> None:
        """Takes over a certificate that has been renewed; one that cannot be read leaves the one before it."""
        stamp = _stamp(self._files)
        if stamp in (0, self._seen):
            return
        try:
            self._context.load_cert_chain(self._files.chain_path, self._files.key_path, password="")
        except (OSError, ValueError) as error:
            click.echo(plain(f"the certificate in {self._files.chain_path} cannot be used: {error}"), err=True)
            return
        self._seen = stamp
        self._pool.renew()


def context(ca_file: Path | None, files: IdentityFiles | None) -> ssl.SSLContext:
    """What a gateway is connected to with; raises `click.ClickException` where a file cannot be used."""
    try:
        made = client_context(None if ca_file is None else str(ca_file))
    except (OSError, ValueError) as error:
        raise click.ClickException(plain(f"authorities (PEM) were expected in {ca_file}: {error}")) from error
    if files is None:
        return made
    try:
        made.load_cert_chain(files.chain_path, files.key_path, password="")
    except (OSError, ValueError) as error:
        why = f"a certificate and its key were expected in {files.directory}, from `doorward agent enroll`: {error}"
        raise click.ClickException(plain(why)) from error
    return made


def _stamp(files: IdentityFiles) -> int:
    """What differs once the certificate is another; 0 where there is none."""
    try:
        return files.chain_path.stat().st_mtime_ns
    except OSError:
        return 0
