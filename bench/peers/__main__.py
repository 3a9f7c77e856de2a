"""`make bench-peers`: installs other gateways, measures them beside Doorward, and writes docs/peers.md; `--quick` writes nothing.

Names of peers may be given (a part of one is enough): then only those are measured, and the page is printed.
"""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench.peers import contextforge, fastmcp, hangar, litellm, ours, proxies
from bench.peers.install import installed
from bench.peers.port import Peer
from bench.peers.report import chart, page
from bench.peers.run import run
from bench.peers.visit import FULL, QUICK

DOCS = Path(__file__).resolve().parents[2] / "docs"
OTHERS = (
    proxies.NGINX,
    proxies.ENVOY,
    proxies.BRIDGES,
    proxies.MCP_PROXY,
    fastmcp.SHARED,
    fastmcp.AS_SHIPPED,
    hangar.HANGAR,
    contextforge.STATEFUL,
    contextforge.STATELESS,
    litellm.LITELLM,
)


def main() -> int:
    """One run; the exit code is 1 where Doorward, its floor or the upstream gave a wrong answer or none."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="Measures other gateways beside Doorward in one run.")
    parser.add_argument("--quick", action="store_true", help="one short round; prints the page instead of writing it")
    parser.add_argument("name", nargs="*", help="only peers with this in their name; prints the page instead of writing it")
    asked = parser.parse_args()
    # So that everything that was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    peers = [peer for peer in (*ours.OURS, *OTHERS) if _is_asked(peer, asked.name)]
    _say("installing")
    environments = installed(peer.environment for peer in peers if peer.environment)
    figures = run(peers, environments, QUICK if asked.quick else FULL, _say)
    text = page(figures, datetime.now(UTC).date().isoformat())
    if asked.quick or asked.name:
        print(text)
    else:
        (DOCS / "peers.md").write_text(text, encoding="utf-8")
        (DOCS / "peers.svg").write_text(chart(figures), encoding="utf-8")
        _say(f"written to {DOCS.name}/peers.md and peers.svg")
    broken = [one for one in figures.found if one.peer in ours.OURS and one.faults]
    return 1 if broken else 0


def _is_asked(peer: Peer, names: list[str]) -> bool:
    return not names or any(name.lower() in peer.name.lower() for name in names)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
