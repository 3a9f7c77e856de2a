"""An MCP client's file as upstreams of Doorward, and the client's new file: `mcpServers` and VS Code's `servers`."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from doorward.config import jsonc
from doorward.config.emit import Value, emit
from doorward.config.import_server import convert
from doorward.config.ledger import Ledger
from doorward.config.problems import ConfigError, Problem, quoted

SERVERS = 1_000
KEY = "DOORWARD_KEY"
"""The variable that holds an agent key on the client's side."""

NAME_CHARACTERS = 31


class Client(StrEnum):
    """Whose file it is, which says how the new one may name the agent key and whether it speaks HTTP."""

    CLAUDE_DESKTOP = "claude-desktop"
    CLAUDE_CODE = "claude-code"
    CURSOR = "cursor"
    VSCODE = "vscode"


@dataclass(frozen=True, slots=True)
class Imported:
    """What comes of a file: YAML for `doorward.yaml`, JSON for the client, variables to set, and what to look at."""

    upstreams: str
    client: str
    variables: Mapping[str, str]
    """What each variable that the YAML refers to is for; its value is in the client's old file."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    servers: Sequence[tuple[str, object]]
    inputs: object


def import_file(text: str, client: Client, url: str = "http://127.0.0.1:8420") -> Imported:
    """The upstreams in a client's file, and its new text pointing at the gateway; raises ConfigError when it holds no servers."""
    found = _servers(jsonc.parse(text))
    ledger = Ledger(_inputs(found.inputs))
    upstreams: dict[str, Value] = {}
    for given, entry in found.servers:
        name = _name(given, upstreams)
        if name != given:
            ledger.note(name, f"was called {quoted(given)}")
        if isinstance(entry, Mapping) and (upstream := convert(name, entry, ledger)) is not None:
            upstreams[name] = upstream
    return Imported(emit({"upstreams": upstreams}), _client_text(client, url), dict(ledger.variables), tuple(ledger.notes))


def client_of(path: str, text: str) -> Client:
    """Whose file it is, by its name and shape; Claude Code where nothing speaks against it."""
    name = path.replace("\\", "/").lower()
    if name.endswith("claude_desktop_config.json"):
        return Client.CLAUDE_DESKTOP
    if "/.cursor/" in f"/{name}":
        return Client.CURSOR
    value = jsonc.parse(text)
    return (
        Client.VSCODE
        if isinstance(value, Mapping) and "mcpServers" not in value and ("servers" in value or "mcp" in value)
        else Client.CLAUDE_CODE
    )


def _servers(value: object) -> _Found:
    places = list(_places(value)) if isinstance(value, Mapping) else []
    servers = [server for place in places for server in place.servers]
    if not servers:
        raise ConfigError([Problem("", 1, 1, "expected servers under mcpServers or servers, found none")])
    if len(servers) > SERVERS:
        raise ConfigError([Problem("", 1, 1, f"expected at most {SERVERS} servers, got {len(servers)}")])
    return _Found(servers, next((place.inputs for place in places if place.inputs), None))


def _places(value: Mapping[str, object]) -> Iterator[_Found]:
    """Where the known clients keep servers: at the top, under `mcp` (VS Code settings), or by project (Claude Code)."""
    projects = value.get("projects")
    for holder in (value, value.get("mcp"), *(projects.values() if isinstance(projects, Mapping) else ())):
        if isinstance(holder, Mapping):
            found = (holder.get(key) for key in ("mcpServers", "servers"))
            yield from (_Found(tuple(servers.items()), holder.get("inputs")) for servers in found if isinstance(servers, Mapping))


def _inputs(value: object) -> dict[str, str]:
    inputs = [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
    return {str(item.get("id")): str(item.get("description") or item.get("id")) for item in inputs}


def _name(given: str, taken: Mapping[str, object]) -> str:
    """The given name as an upstream may be called, and unlike all others."""
    text = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-")
    text = text if text[:1].isalpha() else f"server-{text}".strip("-")
    candidates = [text, *(f"{text[: NAME_CHARACTERS - 5].rstrip('-')}-{number}" for number in range(2, SERVERS + 2))]
    return next(name for candidate in candidates if (name := candidate[:NAME_CHARACTERS].rstrip("-")) not in taken)


def _client_text(client: Client, url: str) -> str:
    return json.dumps(_pointing(client, f"{url.rstrip('/')}/mcp"), indent=2) + "\n"


def _pointing(client: Client, endpoint: str) -> object:
    """The client's file with one server, Doorward; the agent key is named, or asked for, never written."""
    match client:
        case Client.CLAUDE_DESKTOP:
            process = {"command": "doorward", "args": ["stdio", "--url", endpoint], "env": {KEY: "PUT-THE-AGENT-KEY-HERE"}}
            return {"mcpServers": {"doorward": process}}
        case Client.CLAUDE_CODE:
            return {"mcpServers": {"doorward": {"type": "http", "url": endpoint, "headers": {"Authorization": f"Bearer ${{{KEY}}}"}}}}
        case Client.CURSOR:
            return {"mcpServers": {"doorward": {"url": endpoint, "headers": {"Authorization": f"Bearer ${{env:{KEY}}}"}}}}
        case Client.VSCODE:
            asked = {"type": "promptString", "id": "doorward-key", "description": "Agent key of Doorward", "password": True}
            server = {"type": "http", "url": endpoint, "headers": {"Authorization": "Bearer ${input:doorward-key}"}}
            return {"inputs": [asked], "servers": {"doorward": server}}
