"""Who may open a connection to others: `net` alone, where every address is looked up once and checked before it is connected to.

Besides it the commands' client, which an operator points at a gateway of theirs, and the syslog server that checkpoints are sent to.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from checks.source import Source, Violation

CLIENTS = frozenset(
    """
    aiohttp asyncssh ftplib grpc http.client http3 httpcore httpx imaplib nntplib niquests paramiko poplib pycurl requests smtplib
    telnetlib treq urllib.request urllib3 websocket websockets xmlrpc.client
    """.split()
)
"""Modules that connect by themselves."""

OPENERS = frozenset(
    """
    connect_ex connect_tcp connect_unix create_connection create_datagram_endpoint create_unix_connection open_connection
    open_unix_connection sock_connect socketpair urlopen urlretrieve
    """.split()
)
"""Functions that open a connection, whatever they are called on."""

PLACES = ("src/doorward/net", "src/doorward/client", "src/doorward/audit/anchor")
SOCKETS = (*PLACES, "src/doorward/serving", "src/doorward/control")
"""Where sockets may be made at all: doors listen."""


def violations(source: Source) -> Iterator[Violation]:
    """Every way to somebody else that goes past `net`."""
    ways = [(getattr(node, "lineno", 1), name, places) for node in ast.walk(source.tree) for name, places in _ways(node)]
    for line, name, places in ways:
        if not _stands_in(source.path, places):
            yield source.violation(line, f"{name} connects to others, only {', '.join(places)} may")


def _ways(node: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    match node:
        case ast.Import(names=aliases):
            yield from ((alias.name, PLACES) for alias in aliases if _is_client(alias.name))
        case ast.ImportFrom(module=str(module), names=aliases):
            whole = [module, *(f"{module}.{alias.name}" for alias in aliases)]
            yield from ((name, PLACES) for name in whole if _is_client(name) or name.rpartition(".")[2] in OPENERS)
        case ast.Attribute(attr=str(name)) if name in OPENERS:
            yield name, PLACES
        case ast.Attribute(value=ast.Name("socket"), attr="socket" | "SocketType" | "fromfd" as name):
            yield f"socket.{name}", SOCKETS


def _is_client(module: str) -> bool:
    return any(module == client or module.startswith(f"{client}.") for client in CLIENTS)


def _stands_in(path: PurePosixPath, places: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(place) or path == PurePosixPath(f"{place}.py") for place in places)
