"""The proxy of FastMCP: as it is shipped, with a new upstream session for each call, and with one client that all calls share."""

from __future__ import annotations

from pathlib import Path

from bench.peers.port import Governs, Launch, Peer, Site

_PROGRAM = Path(__file__).parent / "programs" / "proxy_on_fastmcp.py"


def _launch(site: Site, sharing: str) -> Launch:
    return Launch([site.program("python"), str(_PROGRAM), site.url, str(site.port), sharing], {"FASTMCP_CHECK_FOR_UPDATES": "off"})


AS_SHIPPED = Peer(
    name="FastMCP proxy, as shipped",
    package="fastmcp",
    environment="fastmcp",
    governs=Governs(),
    configured="`create_proxy(url)`, stateless, JSON answers: a new upstream session for each call.",
    launch=lambda site: _launch(site, "fresh"),
)
SHARED = Peer(
    name="FastMCP proxy, one shared client",
    package="fastmcp",
    environment="fastmcp",
    governs=Governs(),
    configured="`create_proxy(client)` with a connected client, stateless, JSON answers: callers share one upstream session.",
    launch=lambda site: _launch(site, "shared"),
)
