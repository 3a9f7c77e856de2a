"""A person's agent on the official Python SDK 1.x that knows nothing but a URL: discovers, registers, has its person sign in, and calls.

Arguments: URL, client metadata URL (empty: it registers itself; so does every 1.x that knows nothing of such documents). On stdin: a JSON list of
`[tool, arguments]`; then the redirect that its person's browser ended at, for each `{"authorize": …}` it prints. It ends with what it saw, or with
`{"failed": …}`. Runs in `.venvs/sdk1` or `.venvs/sdk1_2025_06`.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamablehttp_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

REDIRECT = "http://127.0.0.1:9/callback"


class Memory:
    """What an agent keeps of its grants."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


async def shown(url: str) -> None:
    """Send the person to the browser."""
    print(json.dumps({"authorize": url}), flush=True)


async def came_back() -> tuple[str, str | None]:
    """Where the browser came back to."""
    line = await asyncio.to_thread(sys.stdin.readline)
    told = {name: values[0] for name, values in parse_qs(urlsplit(line.strip()).query).items()}
    return told.get("code", ""), told.get("state")


async def main(url: str, metadata_url: str = "") -> None:
    """Do what stdin says and print what came of it."""
    calls, memory = json.loads(sys.stdin.readline()), Memory()
    about = OAuthClientMetadata(client_name="An agent of tests", redirect_uris=[REDIRECT])
    more = {"client_metadata_url": metadata_url} if metadata_url else {}
    auth = OAuthClientProvider(url, about, memory, shown, came_back, **more)
    async with streamablehttp_client(url, auth=auth) as (read, write, _), ClientSession(read, write) as session:
        await session.initialize()
        listed = await session.list_tools()
        results = [await session.call_tool(tool, arguments) for tool, arguments in calls]
    seen = {
        "tools": [tool.name for tool in listed.tools],
        "results": [result.model_dump(mode="json", by_alias=True, exclude_none=True) for result in results],
        "token": memory.tokens.model_dump(mode="json", exclude_none=True) if memory.tokens else {},
        "client": memory.client.client_id if memory.client else "",
    }
    print(json.dumps(seen), flush=True)


def first(error: BaseException) -> BaseException:
    """What went wrong first, out of its task groups."""
    return first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


try:
    asyncio.run(main(*sys.argv[1:]))
except Exception as error:  # noqa: BLE001 -- whatever its own client raises is what a test wants to see
    print(json.dumps({"failed": repr(first(error))}), flush=True)
