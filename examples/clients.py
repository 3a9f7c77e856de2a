"""What to put into the configuration of common MCP clients so that they go through Doorward."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Access:
    """What a client needs: the endpoint, and a key that it holds or reads from a file."""

    url: str
    key: str
    key_file: Path


def configurations(access: Access) -> dict[str, str]:
    """For each client: where it goes, and the text to put there."""
    return {
        "Claude Code, in a shell": f'claude mcp add --transport http doorward {access.url} --header "Authorization: Bearer {access.key}"',
        "Cursor, in .cursor/mcp.json": _servers({"url": access.url, "headers": {"Authorization": f"Bearer {access.key}"}}),
        "Claude Desktop, in claude_desktop_config.json (and every client that speaks only stdio)": _servers(_bridge(access)),
    }


def _servers(entry: dict[str, object]) -> str:
    return json.dumps({"mcpServers": {"doorward": entry}}, indent=2)


def _bridge(access: Access) -> dict[str, object]:
    program = Path(sys.executable).with_name("doorward")
    return {"command": str(program), "args": ["stdio", "--url", access.url, "--key-file", str(access.key_file)]}
