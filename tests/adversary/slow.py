"""A client that waits with its body until it has been told to go on (RFC 9110 §10.1.1), so that something can happen between."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.client import EXCHANGE


def call_body(tool: str, arguments: dict[str, Any]) -> bytes:
    """The body of an exchange-era tool call."""
    meta = {"io.modelcontextprotocol/protocolVersion": EXCHANGE, "io.modelcontextprotocol/clientCapabilities": {}}
    return json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments, "_meta": meta}}
    ).encode()


@dataclass
class Waiting:
    """One exchange-era tool call: once it is made, its head has been read and its caller is known."""

    port: int
    key: str
    tool: str
    arguments: dict[str, Any]
    path: str = "/mcp"
    _connection: socket.socket = field(init=False)
    _rest: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Sends the head, and waits until the body is asked for."""
        self._rest = body = call_body(self.tool, self.arguments)
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {self.key}\r\n"
            f"Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"MCP-Protocol-Version: {EXCHANGE}\r\nMcp-Method: tools/call\r\nMcp-Name: {self.tool}\r\n"
            "Connection: close\r\nExpect: 100-continue\r\n\r\n"
        )
        self._connection = socket.create_connection(("127.0.0.1", self.port), 10)
        self._connection.sendall(head.encode())
        assert self._connection.recv(64).startswith(b"HTTP/1.1 100 ")

    def finish(self) -> bytes:
        """Sends the body and gives the whole answer."""
        with self._connection as connection:
            connection.sendall(self._rest)
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
        return answer
