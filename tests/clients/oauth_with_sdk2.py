"""A person's agent on the official Python SDK 2.x that knows nothing but a URL: discovers, registers, has its person sign in, and calls.

Arguments: URL, mode of the protocol, client metadata URL (may be empty: it registers itself then), what it has kept of an earlier run (JSON:
`token`, `client`; may be empty), and in it `expires`, for its token to be over between the list and the calls. On stdin: a JSON list of
`[tool, arguments]`; then the redirect that its person's browser ended at, for each `{"authorize": …}` it prints. It ends with what it saw, or
with `{"failed": …}`.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

REDIRECT = "http://127.0.0.1:9/callback"


class Memory:
    """What an agent keeps of its grants."""

    given = 0
    """How often it was given tokens."""

    def __init__(self, kept: dict[str, dict[str, object]]) -> None:
        self.tokens = OAuthToken.model_validate(kept["token"]) if "token" in kept else None
        self.client = OAuthClientInformationFull.model_validate(kept["client"]) if "client" in kept else None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens
        self.given += 1

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


async def shown(url: str) -> None:
    """Send the person to the browser."""
    print(json.dumps({"authorize": url}), flush=True)


async def came_back() -> AuthorizationCodeResult:
    """Where the browser came back to."""
    line = await asyncio.to_thread(sys.stdin.readline)
    told = {name: values[0] for name, values in parse_qs(urlsplit(line.strip()).query).items()}
    return AuthorizationCodeResult(code=told.get("code", ""), state=told.get("state"), iss=told.get("iss"))


async def main(url: str, mode: str, metadata_url: str, kept: str = "") -> None:
    """Do what stdin says and print what came of it."""
    calls, before = json.loads(sys.stdin.readline()), json.loads(kept or "{}")
    about = OAuthClientMetadata(
        client_name="An agent of tests", redirect_uris=[REDIRECT], grant_types=["authorization_code", "refresh_token"]
    )
    memory = Memory(before)
    auth = OAuthClientProvider(url, about, memory, shown, came_back, client_metadata_url=metadata_url or None)
    async with (
        httpx2.AsyncClient(auth=auth, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        listed = await client.list_tools()
        if "expires" in before:
            auth.context.token_expiry_time = 1.0
        results = [await client.call_tool(tool, arguments) for tool, arguments in calls]
    seen = {
        "tools": [tool.name for tool in listed.tools],
        "results": [result.model_dump(mode="json", by_alias=True, exclude_none=True) for result in results],
        "token": memory.tokens.model_dump(mode="json", exclude_none=True) if memory.tokens else {},
        "given": memory.given,
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
