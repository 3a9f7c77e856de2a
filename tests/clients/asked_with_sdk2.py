"""A scripted agent on the official Python SDK 2.x whose person can be asked something: calls one tool, and says as JSON, a line each, what comes.

Arguments: URL, agent key, mode (`legacy` or a revision of the exchange era), `asked` if there is somebody to ask, tool, arguments
as JSON. It says `{"asked": …}` for what its person is shown, and goes on at the next line of stdin (`accept`, `decline` or `cancel`);
`{"progress": …}`; and at the end `{"result": …}`. Runs in the development environment.
"""

import asyncio
import json
import sys
from typing import Any

import httpx2
from mcp import Client, MCPError, UrlElicitationRequiredError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult


def say(**said: Any) -> None:
    """One line."""
    print(json.dumps(said), flush=True)


async def asked(context: Any, params: Any) -> ElicitResult:
    """Shows a person what is asked, and waits for their word."""
    say(asked=params.model_dump(mode="json", by_alias=True, exclude_none=True))
    action: Any = (await asyncio.to_thread(sys.stdin.readline)).strip()
    return ElicitResult(action=action, content={} if getattr(params, "mode", "form") == "form" and action == "accept" else None)


async def progressed(progress: float, total: float | None, message: str | None) -> None:
    """Hears how far it is."""
    say(progress=[progress, total, message])


async def main(url: str, key: str, mode: str, who: str, tool: str, arguments: str) -> None:
    """Calls once, or again once a person has been sent to a page."""
    http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60)
    transport = streamable_http_client(url, http_client=http)
    async with http, Client(transport, mode=mode, elicitation_callback=asked if who == "asked" else None) as client:
        try:
            result = await client.call_tool(tool, json.loads(arguments), progress_callback=progressed)
        except MCPError as error:
            for one in UrlElicitationRequiredError.from_error(error.error).elicitations:
                await asked(None, one)
            result = await client.call_tool(tool, json.loads(arguments), progress_callback=progressed)
        say(result=result.model_dump(mode="json", by_alias=True, exclude_none=True))


asyncio.run(main(*sys.argv[1:]))
