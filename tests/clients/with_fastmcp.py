"""A scripted agent on FastMCP: connects, lists, calls, and says as JSON what it saw.

Arguments: URL, agent key (may be empty). On stdin: a JSON list of `[tool, arguments]`. Runs in `.venvs/fastmcp`.
"""

import asyncio
import json
import sys

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport


async def main(url: str, key: str) -> None:
    """Do what stdin says and print what came of it."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with Client(StreamableHttpTransport(url, headers=headers)) as client:
        listed = await client.list_tools()
        results = [await client.call_tool_mcp(tool, arguments) for tool, arguments in json.load(sys.stdin)]
        seen = {
            "revision": client.session.protocol_version,
            "tools": [tool.name for tool in listed],
            "results": [result.model_dump(mode="json", by_alias=True, exclude_none=True) for result in results],
        }
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
