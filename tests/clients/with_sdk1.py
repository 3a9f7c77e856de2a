"""A scripted agent on the official Python SDK 1.x: connects, lists, calls, and says as JSON what it saw.

Arguments: URL, agent key (may be empty). On stdin: a JSON list of `[tool, arguments]`. Runs in `.venvs/sdk1` or `.venvs/sdk1_2025_06`.
"""

import asyncio
import json
import sys

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main(url: str, key: str) -> None:
    """Do what stdin says and print what came of it."""
    headers = {"Authorization": f"Bearer {key}"} if key else None
    async with streamablehttp_client(url, headers=headers) as (read, write, _), ClientSession(read, write) as session:
        opened = await session.initialize()
        listed = await session.list_tools()
        results = [await session.call_tool(tool, arguments) for tool, arguments in json.load(sys.stdin)]
    seen = {
        "revision": opened.protocolVersion,
        "tools": [tool.name for tool in listed.tools],
        "results": [result.model_dump(mode="json", by_alias=True, exclude_none=True) for result in results],
    }
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
