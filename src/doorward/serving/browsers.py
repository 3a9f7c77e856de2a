"""Pages of an allowed origin may read our answers (CORS, Fetch standard §3.2); no other page may, and cookies mean nothing here."""

from doorward.serving.port import Headers

_SENT = frozenset(
    b"accept authorization content-type dpop last-event-id mcp-method mcp-name mcp-protocol-version mcp-session-id traceparent".split()
)
"""Headers that a page may send, besides `Mcp-Param-*`."""


def cross_origin(fields: dict[bytes, bytes]) -> Headers:
    """What an answer tells a browser. INVARIANT: called only once the Origin has been found on the allow list."""
    return [
        (b"access-control-allow-origin", fields[b"origin"]),
        (b"access-control-expose-headers", b"mcp-session-id, www-authenticate"),
        (b"vary", b"origin"),
    ]


def preflight(fields: dict[bytes, bytes], methods: bytes = b"GET, POST, DELETE") -> Headers:
    """The answer to an OPTIONS request: what may be sent."""
    wanted = {name.strip().lower() for name in fields.get(b"access-control-request-headers", b"").split(b",")}
    accepted = sorted(name for name in wanted if name in _SENT or name.startswith(b"mcp-param-"))
    return [
        (b"allow", methods + b", OPTIONS"),
        (b"access-control-allow-methods", methods),
        (b"access-control-allow-headers", b", ".join(accepted)),
        (b"access-control-max-age", b"600"),
    ]
