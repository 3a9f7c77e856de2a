"""The network door of a house: its listener, and the sign-in behind it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import msgspec

from doorward.admission.stops import Switch
from doorward.app import clocks
from doorward.app.watch import Files
from doorward.audit.recorder import Recorder
from doorward.config.model import ControlListen, Document
from doorward.control.app import Plain
from doorward.control.network import Ground, Page, barred_by, network_app, place
from doorward.control.operator_sessions import OperatorSessions
from doorward.control.routes import Route
from doorward.control.signing import Signing
from doorward.identity.sign_ins import SignIns
from doorward.serving.listener import Bind, Listener
from doorward.serving.tls import context

_DRAIN_SECONDS = 5.0
_CONNECTIONS = 256
"""Operators and their browsers: far more than there are."""


class Behind(msgspec.Struct, frozen=True):
    """What the door leads to."""

    document: Callable[[], Document]
    """The one in force."""
    root: Path
    sign_ins: SignIns
    switch: Switch
    sessions: OperatorSessions
    recorder: Recorder
    routes: tuple[Route, ...]
    plain: Plain
    pages: Callable[[Ground], Mapping[str, Page]]
    """Pages besides those by which one signs in."""
    opened: Callable[[str], None]
    """Hears of the origin that operators see."""


class Network:
    """The listener, from `open` until `close`. Whoever opens it runs what `open` gives."""

    __slots__ = ("_files", "_listen", "_listener", "_paths", "_root", "address")

    def __init__(self, root: Path, listen: ControlListen) -> None:
        self._root, self._listen = root, listen
        self._paths = (root / listen.tls.certificate, root / listen.tls.key)
        self._files = Files(self._paths)
        self._listener: Listener | None = None
        self.address = ("", 0)

    async def open(self, behind: Behind) -> Coroutine[Any, Any, None]:
        """Begins to listen; gives what has to run as long as it does. Raises `TlsError` and `OSError`."""
        apps: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await apps[0](scope, receive, send)

        listen = self._listen
        self._listener = Listener(app, Bind(listen.host, listen.port, _CONNECTIONS, tls=context(listen.tls, self._root)))
        self.address = await self._listener.open()
        origin, hosts = place(listen, self.address[1])
        ground = Ground(
            rules=lambda: behind.document().control.listen,
            sign_in=behind.sign_ins.of,
            is_barred=barred_by(behind.switch),
            sessions=behind.sessions,
            recorder=behind.recorder,
            origin=origin,
            hosts=hosts,
        )
        pages = {**Signing(ground, clocks.draw, clocks.now).pages(), **behind.pages(ground)}
        apps.append(network_app(behind.routes, behind.plain, ground, pages))
        behind.opened(origin)
        return self._listener.run()

    async def renew(self) -> None:
        """Speaks TLS with what the files say now, if they have changed; raises `TlsError`, and goes on as before then."""
        if self._listener is not None and await asyncio.to_thread(self._files.have_changed, self._paths):
            self._listener.reload(context(self._listen.tls, self._root))

    async def close(self) -> None:
        """Lets running requests finish for a moment, then closes everything."""
        if self._listener is not None:
            await self._listener.drain(_DRAIN_SECONDS)
