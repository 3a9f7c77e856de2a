"""A FastMCP proxy on a port, before an upstream: with a fresh client for each call, or with one that all share."""

import asyncio
import sys

from fastmcp import Client, FastMCP
from fastmcp.server import create_proxy


async def main(url: str, port: int, sharing: str) -> None:
    """Serves until it is ended."""
    if sharing == "fresh":
        await serve(create_proxy(url), port)
        return
    async with Client(url) as client:
        await serve(create_proxy(client), port)


async def serve(proxy: FastMCP, port: int) -> None:
    """JSON answers and no sessions: the least that it can do for a call."""
    await proxy.run_http_async(
        show_banner=False,
        host="127.0.0.1",
        port=port,
        log_level="error",
        json_response=True,
        stateless_http=True,
        uvicorn_config={"access_log": False},
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
