"""A scripted agent on the official Python SDK 2.x: connects, lists, calls, and says as JSON what it saw.

Arguments: URL, agent key (may be empty), mode (`auto`, `legacy` or a revision of the exchange era). On stdin: a JSON list of
`[tool, arguments]`. Runs in the development environment.
"""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def main(url: str, key: str, mode: str) -> None:
    """Do what stdin says and print what came of it."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        listed = await client.list_tools()
        results = [await client.call_tool(tool, arguments) for tool, arguments in json.load(sys.stdin)]
        seen = {
            "revision": client.protocol_version,
            "tools": [tool.name for tool in listed.tools],
            "results": [result.model_dump(mode="json", by_alias=True, exclude_none=True) for result in results],
        }
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
