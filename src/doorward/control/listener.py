"""The control listener: a Unix socket for its owner and perhaps a group; the kernel says who is at the other end."""

import asyncio
import grp
import os
import socket
import stat
import struct
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from doorward.control.app import PEER

App = Callable[[Any, Any, Any], Awaitable[None]]

_BACKLOG = 64
_GRACE_SECONDS = 5.0
"""How long a running request of an operator may go on once the listener is told to stop."""
_STEP_SECONDS = 0.01
_CALL_SECONDS = 1.0
"""Whether somebody listens shows at once, if the machine is not very busy."""


class ControlListener:
    """Serves an app on a Unix socket, from `start` until `stop`. Raises `OSError` where the socket cannot be made.

    `group`: the system group whose members may open it too; without one it is its owner's alone.
    """

    __slots__ = ("_config", "_server", "_socket", "_state", "path")

    def __init__(self, app: App, path: Path, group: str | None = None) -> None:
        self.path = path
        self._config = Config(
            cast(Any, app), interface="asgi3", http=HttpToolsProtocol, ws="none", lifespan="off", log_config=None, proxy_headers=False
        )
        self._config.load()
        self._state = ServerState()
        self._socket = _bound(path, group)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begins to listen."""
        self._server = await asyncio.get_running_loop().create_unix_server(self._connect, sock=self._socket, backlog=_BACKLOG)

    async def stop(self) -> None:
        """Removes the socket, lets running requests finish within a grace, closes all connections."""
        self.path.unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()
        self._socket.close()
        for connection in tuple(self._state.connections):
            connection.shutdown()
        await self._emptied()
        for task in tuple(self._state.tasks):
            task.cancel("the control listener stops")
        for connection in tuple(self._state.connections):
            connection.transport.abort()

    def _connect(self) -> "PeerProtocol":
        return PeerProtocol(self._config, self._state, {})

    async def _emptied(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + _GRACE_SECONDS
        while (self._state.connections or self._state.tasks) and loop.time() < end:  # noqa: ASYNC110 -- uvicorn's plain sets have nothing to wait on
            await asyncio.sleep(_STEP_SECONDS)


class PeerProtocol(HttpToolsProtocol):
    """HTTP on a Unix socket that puts the peer's uid into the scope of each request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Learns who connects, once a connection."""
        super().connection_made(transport)
        self.app = cast(Any, with_peer(cast(App, self.app), peer_uid(transport.get_extra_info("socket"))))


def with_peer(app: App, uid: int) -> App:
    """An app that is told on each request whose socket it came through; nothing a request says can change it."""

    async def governed(scope: Any, receive: Any, send: Any) -> None:
        extensions = {**scope.get("extensions", {}), PEER: {"uid": uid}}
        await app({**scope, "extensions": extensions}, receive, send)

    return governed


def peer_uid(connected: socket.socket) -> int:
    """The user id of the process at the other end when it connected (Linux SO_PEERCRED, BSD and macOS LOCAL_PEERCRED)."""
    return (
        uid_of_ucred(connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        if sys.platform == "linux"
        else uid_of_xucred(connected.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES))
    )


def uid_of_ucred(raw: bytes) -> int:
    """The uid in Linux's `struct ucred`: pid, uid, gid."""
    _, uid, _ = _UCRED.unpack(raw)
    return int(uid)


def uid_of_xucred(raw: bytes) -> int:
    """The uid in BSD's `struct xucred`: version, uid, groups."""
    version, uid = _XUCRED_HEAD.unpack_from(raw)
    if version != 0:
        raise OSError(f"version 0 of the peer's credentials was expected, not {version}")
    return int(uid)


_UCRED = struct.Struct("iII")
_XUCRED_HEAD = struct.Struct("II")
_XUCRED_BYTES = 76
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1


def _bound(path: Path, group: str | None) -> socket.socket:
    """A socket that nobody but its owner can open before it has its group; the one of a dead gateway is replaced, nothing else ever."""
    _make_way(path)
    unbound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        unbound.bind(str(path))
        if group is not None:
            os.chown(path, -1, grp.getgrnam(group).gr_gid)
            path.chmod(0o660)
    except (OSError, KeyError) as error:
        unbound.close()
        raise OSError(f"the control socket cannot be made at {path} (a path of at most 107 bytes was expected): {error}") from error
    finally:
        os.umask(before)
    return unbound


def _make_way(path: Path) -> None:
    """Removes a socket that nobody listens at any more; raises `OSError` for a file, or for a gateway that lives."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(f"a socket or nothing was expected at {path}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(_CALL_SECONDS)
        try:
            caller.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(f"another gateway listens at {path}")
