"""A server on the official SDK, for the tests: `python real_server.py stdio`, or `python real_server.py http` (prints its port)."""

import socket
import sys
import warnings

import anyio
import uvicorn
from mcp.server.mcpserver import Context, MCPServer

warnings.simplefilter("ignore")
server = MCPServer("real", instructions="be kind", log_level="ERROR")


@server.tool()
def echo(text: str) -> str:
    """Gives back its text."""
    return text


@server.tool()
async def steps(ctx: Context, count: int) -> str:
    """Reports progress and logs on each step."""
    for step in range(count):
        await ctx.report_progress(step, count, f"step {step}")
        await ctx.info(f"log {step}")  # type: ignore[deprecated]  # offered until 2027 at least
    return "done"


@server.tool()
async def hang() -> str:
    """Does not come back."""
    await anyio.sleep(3600)
    return "never"


@server.prompt()
def greet(name: str) -> str:
    """A greeting."""
    return f"hello {name}"


@server.resource("demo://note")
def note() -> str:
    """A note."""
    return "content"


@server.resource("demo://notes/{number}")
def numbered(number: str) -> str:
    """A numbered note."""
    return number


def main(transport: str) -> None:
    if transport == "stdio":
        server.run()
        return
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(server.streamable_http_app(), log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
