"""The first words with a server process: which era it speaks (PROTOCOL.md §1.8, stdio), and how it introduces itself."""

import asyncio
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from doorward.domain.calls import Answer, Era, Fault
from doorward.domain.clipping import clipped
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Refused
from doorward.net.connection import Timeouts
from doorward.upstream.faults import MistakenError, broken, having_said
from doorward.upstream.introductions import SpeaksExchange, SpeaksNeither, Verdict, of_discovery, of_initialization, verdict
from doorward.upstream.link import Link
from doorward.upstream.messages import Tongue
from doorward.upstream.order import own_order
from doorward.upstream.port import unheard
from doorward.upstream.sight import Introduction
from doorward.wire.eras import EXCHANGE_VERSIONS, SESSION_VERSIONS

PROBE_SECONDS: Final = 5.0
"""How long a server may leave `server/discover` unanswered before `initialize` is tried, and never more than a quarter of its time
to start: some old ones never answer what they do not know."""
WITHOUT_STATUS: Final = 200


class Greeting(msgspec.Struct, frozen=True):
    """What the first words came to."""

    era: Era
    version: str
    introduction: Introduction


class Greeter(msgspec.Struct, frozen=True):
    """Speaks the first words to one process. `seconds`: how long each may take."""

    tongue: Tongue
    link: Link
    lease: Lease
    seconds: float

    async def greet(self, era: Literal["auto", "session", "exchange"]) -> Greeting:
        """Finds the era, or takes the declared one; raises Refused."""
        match era:
            case "session":
                return await self._initialized()
            case "exchange":
                return self._discovered(await self._ask_discovery())
            case "auto":
                return await self._probed()

    async def _probed(self) -> Greeting:
        probing = asyncio.get_running_loop().create_task(self._ask_discovery())
        try:
            await asyncio.wait({probing}, timeout=min(PROBE_SECONDS, self.seconds / 4))
            if isinstance(_verdict(probing), SpeaksExchange | SpeaksNeither):
                return self._discovered(await probing)
            return await self._initialized_after(probing)
        finally:
            probing.cancel()
            await asyncio.gather(probing, return_exceptions=True)

    async def _initialized_after(self, probing: "asyncio.Task[Answer]") -> Greeting:
        """Tries `initialize`; if that fails, the answer to the probe may have come meanwhile from a server that was slow to start."""
        try:
            return await self._initialized()
        except MistakenError:
            return self._discovered(await self._ask_discovery())
        except Refused:
            if not isinstance(_verdict(probing), SpeaksExchange):
                raise
        return self._discovered(await probing)

    async def _ask_discovery(self) -> Answer:
        return await self._ask("server/discover", {}, Era.EXCHANGE)

    def _discovered(self, found: Answer) -> Greeting:
        upstream = self.tongue.upstream
        match verdict(found.body, WITHOUT_STATUS):
            case SpeaksExchange(version) if not isinstance(found.body, Fault):
                return Greeting(Era.EXCHANGE, version, of_discovery(found.body))
            case SpeaksNeither(versions):
                raise broken(upstream, f"it speaks only {clipped(', '.join(versions), 200)}", Ran.NO)
        raise having_said(broken(upstream, "server/discover was not answered as the exchange era does", Ran.NO), str(found.body))

    async def _initialized(self) -> Greeting:
        params = {"protocolVersion": SESSION_VERSIONS[0], "capabilities": {}, "clientInfo": self.tongue.client_info}
        body = (await self._ask("initialize", params, Era.SESSION)).body
        if isinstance(body, Fault):
            if isinstance(verdict(body, WITHOUT_STATUS), SpeaksExchange):
                raise MistakenError("it speaks the exchange era")
            raise having_said(broken(self.tongue.upstream, f"initialize was answered with error {body.code}", Ran.NO), body.message)
        introduction = of_initialization(body)
        if not introduction.versions or introduction.versions[0] not in SESSION_VERSIONS:
            raise broken(self.tongue.upstream, f"a version of the session era was expected, not {introduction.versions[:1]}", Ran.NO)
        self.link.tell("notifications/initialized")
        return Greeting(Era.SESSION, introduction.versions[0], introduction)

    async def _ask(self, method: str, params: Mapping[str, object], era: Era) -> Answer:
        limits = Timeouts(self.seconds, self.seconds, self.seconds, self.seconds)
        return await self.link.ask(own_order(method, params, self.lease), era, EXCHANGE_VERSIONS[0], unheard, limits)


def _verdict(probing: "asyncio.Task[Answer]") -> Verdict | None:
    """What the probe has shown so far."""
    if not probing.done() or probing.cancelled() or probing.exception() is not None:
        return None
    return verdict(probing.result().body, WITHOUT_STATUS)
