"""The ASGI scope of a request: what its connection says of itself, and what its head says."""

import asyncio
from typing import Any

from doorward.serving.head import Head
from doorward.serving.port import CONNECTION, HEAD, Connection, Headers


def of_connection(transport: asyncio.BaseTransport, connection: Connection) -> dict[str, Any]:
    """What the scopes of all requests of a connection say."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": _address(transport.get_extra_info("sockname")),
        "client": _address(transport.get_extra_info("peername")),
        "scheme": "http" if transport.get_extra_info("ssl_object") is None else "https",
        "root_path": "",
        CONNECTION: connection,
    }


def of_request(connection: dict[str, Any], head: Head, headers: Headers) -> dict[str, Any]:
    """The scope of one request; its headers may differ from the head's in what is different each time."""
    path, _, query = head.target.partition(b"?")
    return {
        **connection,
        "method": head.method,
        "raw_path": path,
        "path": path.decode("latin-1"),
        "query_string": query,
        "headers": headers,
        HEAD: head,
    }


def _address(name: object) -> tuple[str, int] | None:
    """Host and port of an address as the transport names it; None for one that has none."""
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) and len(name) > 1 else None
