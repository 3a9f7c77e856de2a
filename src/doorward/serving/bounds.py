"""What one connection of an agent may cost, and how long each part of a request may take."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """What one connection may cost."""

    head_bytes: int = 32_768
    headers: int = 100
    handshake_seconds: float = 5
    """From connecting to the end of the TLS handshake."""
    head_seconds: float = 5
    """From the first byte of a request (or from connecting) to the end of its headers."""
    body_seconds: float = 15
    body_bytes_per_second: float = 1024
    """A body may take `body_seconds`, and longer only while it keeps to this rate."""
    idle_seconds: float = 75
    """Between an answer and the next request."""
    stall_seconds: float = 30
    """How long a client may leave what we write unread, or take it more slowly than this:"""
    read_bytes_per_second: float = 16_384
    pipelined: int = 8
    """Requests that may wait behind the one being answered; agents send none."""
