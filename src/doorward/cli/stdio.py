"""`doorward stdio`: connects a client that speaks only stdio to the running gateway, with an agent key or certificate like any other."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from threading import Thread

import click

from doorward.cli.bridge import Bridge
from doorward.cli.certified import Certified, context
from doorward.cli.gateway import Gateway
from doorward.cli.gateway import Pool as Connections
from doorward.client.identity_files import IdentityFiles
from doorward.net.addresses import Reach, Rule
from doorward.net.connection import Timeouts
from doorward.net.http import Pool, Route
from doorward.net.reader import Limits
from doorward.net.urls import Origin, UrlError, parse_url

_LINE_BYTES = 8 * 2**20
"""Longer than any message that the gateway takes: it is the one to say that a message is too large."""
_PIECE_BYTES = 65_536
_WAITING_PIECES = 16
_ANSWER_BYTES = 64 * 2**20
_PATIENCE = Timeouts(connect=5, first_byte=60, idle=60, total=86_400)
"""The gateway sends a comment every 15 seconds, so a minute of silence means that it is gone; a call may take a day."""


@click.command()
@click.option("--url", default="http://127.0.0.1:8420/mcp", envvar="DOORWARD_URL", show_default=True, help="The gateway's MCP endpoint.")
@click.option("--key-env", default="DOORWARD_KEY", show_default=True, help="Environment variable that holds the agent key.")
@click.option("--key-file", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="File that holds the agent key.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where `doorward agent enroll` keeps the agent's certificate, to show it to the gateway.",
)
@click.option(
    "--ca-file", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="The only authorities the gateway may come from (PEM)."
)
@click.option("--plain-http", is_flag=True, help="Send the key over http to another machine.")
def command(url: str, key_env: str, key_file: Path | None, directory: Path | None, ca_file: Path | None, plain_http: bool) -> None:
    """Connect a client that speaks only stdio."""
    origin, key = _origin(url, plain_http=plain_http), _key(key_env, key_file)
    if origin.scheme == "http" and (directory is not None or ca_file is not None):
        raise click.BadParameter("certificates are shown over https alone", param_hint="--url")
    asyncio.run(_serve(Gateway(_pool(origin, key, directory, ca_file), url)))


def _origin(url: str, *, plain_http: bool) -> Origin:
    try:
        origin = parse_url(url)
    except UrlError as error:
        raise click.BadParameter(str(error), param_hint="--url") from error
    is_here = origin.host == "localhost" or (origin.address is not None and origin.address.is_loopback)
    if origin.scheme == "http" and not is_here and not plain_http:
        raise click.BadParameter("http would show the key to the network; use https, or say --plain-http", param_hint="--url")
    return origin


def _key(variable: str, file: Path | None) -> str:
    key = os.environ.get(variable, "") if file is None else file.read_text("utf-8")
    key = key.strip()
    if key and not (key.isascii() and key.isprintable()):
        raise click.UsageError("a key of visible ASCII was expected")
    return key


def _pool(origin: Origin, key: str, directory: Path | None, ca_file: Path | None) -> Connections:
    fixed = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")]
    if key:
        fixed.append(("Authorization", f"Bearer {key}"))
    rule = Rule(Reach.PRIVATE, frozenset({"http", "https"}))
    files = None if directory is None else IdentityFiles(directory)
    tls = context(ca_file, files) if origin.scheme == "https" else None
    pool = Pool(
        Route(origin, rule, None if tls is None else lambda: tls), fixed, limits=Limits(body_bytes=_ANSWER_BYTES), timeouts=_PATIENCE
    )
    return pool if tls is None or files is None else Certified(pool, tls, files)


async def _serve(gateway: Gateway) -> None:
    """Relays until standard input ends or a signal comes."""
    relay = asyncio.ensure_future(Bridge(gateway, _say).run(_lines(sys.stdin.fileno())))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, relay.cancel)
    done, _ = await asyncio.wait((relay,))
    for finished in done:
        error = None if finished.cancelled() else finished.exception()
        if error is not None and not _is_client_gone(error):
            raise error


def _is_client_gone(error: BaseException) -> bool:
    return isinstance(error, BaseExceptionGroup) and error.split(BrokenPipeError)[1] is None


async def _say(message: bytes) -> None:
    """One line on standard output, whole. Raises `BrokenPipeError` once the client has gone."""
    await asyncio.to_thread(_write, message.replace(b"\n", b" ") + b"\n")


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


async def _lines(file: int) -> AsyncGenerator[bytes, None]:
    """The lines of a file descriptor, whatever it is: a pipe, a file or a terminal. No more is read than can be worked on."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[bytes] = asyncio.Queue(_WAITING_PIECES)

    def read() -> None:
        # Not through `sys.stdin`: its lock, held by a reading thread, would abort the interpreter on its way out.
        piece = b"-"
        while piece:
            piece = os.read(file, _PIECE_BYTES)
            asyncio.run_coroutine_threadsafe(pieces.put(piece), loop).result()

    Thread(target=read, daemon=True).start()
    rest = b""
    while piece := await pieces.get():
        *lines, rest = (rest + piece).split(b"\n")
        for line in filter(None, map(bytes.strip, lines)):
            yield line
        # A line that never ends is cut; its start is no JSON, and is answered as such.
        rest = rest[:_LINE_BYTES]
    if rest.strip():
        yield rest.strip()
