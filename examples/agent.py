"""An agent at the command line, on the official SDK client: lists tools, and calls one with the arguments it is given.

    python examples/agent.py tools
    python examples/agent.py call sqlite__read_query query="SELECT name FROM customers"

It reads the key from `DOORWARD_KEY`, or from the file that `make run` wrote, and the endpoint from `DOORWARD_URL`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

URL = "http://127.0.0.1:8420/mcp"
KEY_FILE = Path("var/run/agent.key")
RECEIPT = "dev.doorward/receipt"
REASON = "dev.doorward/reason"
APPROVAL = "dev.doorward/approval"


@dataclass(frozen=True, slots=True)
class Heard:
    """What an agent heard on one call."""

    text: str
    is_error: bool
    receipt: str
    reason: str
    """Doorward's, where it refused the call; empty for what the upstream said."""
    approval: str
    """The question that waits for a person; empty where none does."""


@asynccontextmanager
async def connected(url: str, key: str) -> AsyncIterator[Client]:
    """The official client, connected to an endpoint with an agent key."""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client


async def call(client: Client, tool: str, arguments: Mapping[str, object]) -> Heard:
    """One call, whichever way it ends."""
    try:
        result = await client.call_tool(tool, dict(arguments))
    except MCPError as error:
        told = error.data if isinstance(error.data, dict) else {}
        return Heard(error.message, True, str(told.get("reference", "")), str(told.get("reason", "")), str(told.get("approval", "")))
    meta = result.meta or {}
    text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    return Heard(text, bool(result.is_error), *(str(meta.get(name, "")) for name in (RECEIPT, REASON, APPROVAL)))


async def tools(client: Client) -> dict[str, str]:
    """Every tool this agent may see, with its description."""
    found: dict[str, str] = {}
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor)
        found |= {tool.name: tool.description or "" for tool in page.tools}
        cursor = page.next_cursor
        if cursor is None:
            return found


def main() -> int:
    """Runs one command; gives 1 where the call was refused or failed."""
    parser = argparse.ArgumentParser("examples.agent", description="An agent at the command line.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tools", help="list what this agent may see")
    calling = commands.add_parser("call", help="call a tool")
    calling.add_argument("tool")
    calling.add_argument("arguments", nargs="*", metavar="NAME=VALUE")
    given = parser.parse_args()
    return asyncio.run(_list() if given.command == "tools" else _call(given.tool, dict(map(_argument, given.arguments))))


async def _list() -> int:
    async with connected(_url(), _key()) as client:
        for name, description in (await tools(client)).items():
            print(f"{name:28} {(description.strip().splitlines() or [''])[0][:80]}".rstrip())
    return 0


async def _call(tool: str, arguments: Mapping[str, object]) -> int:
    async with connected(_url(), _key()) as client:
        heard = await call(client, tool, arguments)
    print(heard.text)
    if not heard.reason:
        print(f"receipt {heard.receipt}")
    return 1 if heard.is_error else 0


def _argument(text: str) -> tuple[str, object]:
    """A name and its value: JSON where it is that, else a text."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _url() -> str:
    return os.environ.get("DOORWARD_URL", URL)


def _key() -> str:
    return os.environ.get("DOORWARD_KEY") or KEY_FILE.read_text("ascii").strip()


if __name__ == "__main__":
    sys.exit(main())
