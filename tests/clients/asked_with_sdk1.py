"""A scripted agent on the official Python SDK 1.x whose person can be asked something: as `asked_with_sdk2.py`, without a mode.

Arguments: URL, agent key, `asked` if there is somebody to ask, tool, arguments as JSON. Runs in `.venvs/sdk1`.
"""

import asyncio
import json
import sys
from typing import Any

from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamablehttp_client
from mcp.shared.exceptions import UrlElicitationRequiredError
from mcp.types import ElicitResult


def say(**said: Any) -> None:
    """One line."""
    print(json.dumps(said), flush=True)


async def asked(context: Any, params: Any) -> ElicitResult:
    """Shows a person what is asked, and waits for their word."""
    say(asked=params.model_dump(mode="json", by_alias=True, exclude_none=True))
    action: Any = (await asyncio.to_thread(sys.stdin.readline)).strip()
    return ElicitResult(action=action)


async def progressed(progress: float, total: float | None, message: str | None) -> None:
    """Hears how far it is."""
    say(progress=[progress, total, message])


async def main(url: str, key: str, who: str, tool: str, arguments: str) -> None:
    """Calls once, or again once a person has been sent to a page."""
    callback = asked if who == "asked" else None
    async with (
        streamablehttp_client(url, headers={"Authorization": f"Bearer {key}"}) as (read, write, _),
        ClientSession(read, write, elicitation_callback=callback) as session,
    ):
        await session.initialize()
        try:
            result = await session.call_tool(tool, json.loads(arguments), progress_callback=progressed)
        except McpError as error:
            for one in UrlElicitationRequiredError.from_error(error.error).elicitations:
                await asked(None, one)
            result = await session.call_tool(tool, json.loads(arguments), progress_callback=progressed)
        say(result=result.model_dump(mode="json", by_alias=True, exclude_none=True))


asyncio.run(main(*sys.argv[1:]))
