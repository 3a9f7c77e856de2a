"""A scripted agent on the official Python SDK 2.x that is stuck: it makes one call again and again, until a result tells it to stop.

Arguments: URL, agent key, tool. On stdin: the tool's arguments as JSON. Prints how many calls it made, and what the last one said.
"""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

MOST = 200


async def main(url: str, key: str, tool: str) -> None:
    """Calls until it is told to stop."""
    arguments = json.load(sys.stdin)
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode="auto") as client,
    ):
        results: list[dict[str, object]] = []
        while len(results) < MOST and not (results and results[-1].get("isError")):
            result = await client.call_tool(tool, arguments)
            results.append(result.model_dump(mode="json", by_alias=True, exclude_none=True))
    print(json.dumps({"calls": len(results), "last": results[-1]}))


asyncio.run(main(*sys.argv[1:]))
