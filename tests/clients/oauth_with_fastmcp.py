"""A person's agent on FastMCP that knows nothing but a URL: it registers itself, opens a browser and listens for what comes back, as it always does.

Arguments: URL. On stdin: a JSON list of `[tool, arguments]`. It prints `{"authorize": …}` once it listens, and ends with what it saw, or with
`{"failed": …}`. Runs in `.venvs/fastmcp`.
"""

import asyncio
import json
import socket
import sys
import threading
import time
import webbrowser
from contextlib import closing, suppress

from fastmcp import Client
from fastmcp.client.auth import OAuth


class Shown(webbrowser.BaseBrowser):
    """A browser that is somebody else's: it says what it was to open, once somebody listens for what comes of that."""

    def __init__(self, port: int) -> None:
        super().__init__("shown")
        self.port = port

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        threading.Thread(target=self._say, args=(url,), daemon=True).start()
        return True

    def _say(self, url: str) -> None:
        while True:
            with suppress(OSError), closing(socket.create_connection(("localhost", self.port), 1)):
                break
            time.sleep(0.02)
        print(json.dumps({"authorize": url}), flush=True)


async def main(url: str) -> None:
    """Do what stdin says and print what came of it."""
    calls = json.loads(sys.stdin.readline())
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    webbrowser.register("shown", None, Shown(port), preferred=True)
    async with Client(url, auth=OAuth(client_name="An agent of tests", callback_port=port)) as client:
        listed = await client.list_tools()
        results = [await client.call_tool_mcp(tool, arguments) for tool, arguments in calls]
    seen = {
        "tools": [tool.name for tool in listed],
        "results": [result.model_dump(mode="json", by_alias=True, exclude_none=True) for result in results],
    }
    print(json.dumps(seen), flush=True)


def first(error: BaseException) -> BaseException:
    """What went wrong first, out of its task groups."""
    return first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


try:
    asyncio.run(main(*sys.argv[1:]))
except Exception as error:  # noqa: BLE001 -- whatever its own client raises is what a test wants to see
    print(json.dumps({"failed": repr(first(error))}), flush=True)
