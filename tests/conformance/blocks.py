"""Content blocks, schemas and questions of the conformance peer, spelled as on the wire."""

from __future__ import annotations

import base64
from typing import Any

from mcp.server.context import ServerRequestContext

Context = ServerRequestContext[Any, Any]
Json = dict[str, Any]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
"""One grey pixel."""
WAV = base64.b64encode(b"RIFF$\0\0\0WAVEfmt " + bytes.fromhex("10000000 0100 0100 40100000 40100000 0100 0800") + b"data\0\0\0\0").decode()
"""No sample at all, in 8 bits at 4,160 Hz."""


def text(words: str) -> Json:
    """A text block."""
    return {"type": "text", "text": words}


def image() -> Json:
    """An image block."""
    return {"type": "image", "data": PNG, "mimeType": "image/png"}


def embedded(uri: str, words: str, mime_type: str = "text/plain") -> Json:
    """An embedded resource block."""
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "text": words}}


def fields(**properties: str | Json) -> Json:
    """An object schema with all of the given properties required."""
    spelled = {name: {"type": kind} if isinstance(kind, str) else kind for name, kind in properties.items()}
    return {"type": "object", "properties": spelled, "required": list(spelled)} if spelled else {"type": "object"}


def form(message: str, schema: Json) -> Json:
    """A form put to the person at the client."""
    return {"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema}}


def sampling(question: str, max_tokens: int) -> Json:
    """A question put to the client's model."""
    message = {"role": "user", "content": text(question)}
    return {"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": max_tokens}}
