"""A program on the official Python SDK 2.x that acts without a browser, by its own key or by an identity assertion, and calls.

Arguments: URL, what it acts by (JSON: `kind` of `key` or `assertion`, and the fields below). On stdin: a JSON list of `[tool, arguments]`. It
ends with what it saw, or with `{"failed": …}`.
"""

import asyncio
import json
import sys
from typing import Any

import httpx2
from mcp import Client
from mcp.client.auth.extensions.client_credentials import PrivateKeyJWTOAuthProvider, SignedJWTParameters
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken


class Memory:
    """What it keeps: nothing of use to anybody later."""

    def __init__(self) -> None:
        self.tokens: list[OAuthToken] = []

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens[-1] if self.tokens else None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens.append(tokens)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        raise AssertionError("it was declared, and registers nothing")


def provider(url: str, memory: Memory, by: dict[str, Any]) -> httpx2.Auth:
    """The SDK's own."""
    if by["kind"] == "key":
        made = SignedJWTParameters(issuer=by["client"], subject=by["client"], signing_key=by["pem"], signing_algorithm="ES256")
        return PrivateKeyJWTOAuthProvider(url, memory, by["client"], made.create_assertion_provider(), by.get("scope"), by["issuer"])

    async def assertion(audience: str, resource: str) -> str:
        assert (audience, resource) == (by["issuer"], url)
        return str(by["assertions"].pop(0))

    return IdentityAssertionOAuthProvider(
        url,
        memory,
        by["client"],
        by["secret"],
        by["issuer"],
        assertion,
        by.get("scope"),
        by.get("method", "client_secret_post"),
    )


async def main(url: str, by: str) -> None:
    """Do what stdin says and print what came of it."""
    calls, memory = json.loads(sys.stdin.readline()), Memory()
    async with (
        httpx2.AsyncClient(auth=provider(url, memory, json.loads(by)), timeout=30) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        listed = await client.list_tools()
        results = [await client.call_tool(tool, arguments) for tool, arguments in calls]
    seen = {
        "tools": [tool.name for tool in listed.tools],
        "results": [result.model_dump(mode="json", by_alias=True, exclude_none=True) for result in results],
        "tokens": [token.model_dump(mode="json", exclude_none=True) for token in memory.tokens],
    }
    print(json.dumps(seen), flush=True)


def first(error: BaseException) -> BaseException:
    """What went wrong first, out of its task groups."""
    return first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


try:
    asyncio.run(main(*sys.argv[1:]))
except Exception as error:  # noqa: BLE001 -- whatever its own client raises is what a test wants to see
    print(json.dumps({"failed": repr(first(error))}), flush=True)
