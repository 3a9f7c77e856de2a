"""An upstream over Streamable HTTP: finds its era without side effects, speaks it, and finds it anew when it turns out wrong."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from doorward.config.model import Upstream as Config
from doorward.domain.calls import Answer, Era
from doorward.domain.ids import UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Refused
from doorward.net.errors import NetError
from doorward.net.http import Pool
from doorward.net.single import Single
from doorward.net.stream import Stream
from doorward.upstream.backoff import Backoff
from doorward.upstream.circuit import Circuit
from doorward.upstream.discovery import Discovery
from doorward.upstream.exchange import ExchangeHttp
from doorward.upstream.faults import MistakenError, before_call, blame, broken, is_unsent, of_net, sent_in_vain, told
from doorward.upstream.health import Health, Vitals
from doorward.upstream.messages import Tongue
from doorward.upstream.order import Order, own_order
from doorward.upstream.port import Notices, unheard
from doorward.upstream.probe import probe
from doorward.upstream.seams import Seams
from doorward.upstream.session import SessionHttp
from doorward.upstream.sessions import own_key, shared_key
from doorward.upstream.sight import Sight
from doorward.upstream.tasks import Tasks
from doorward.upstream.watch import Watch
from doorward.wire.eras import EXCHANGE_VERSIONS
from doorward.wire.jsonrpc import Request

Speaker = ExchangeHttp | SessionHttp

BACKGROUND_TASKS: Final = 256
"""Cancellations and farewells under way; each ends within seconds."""
LISTENERS: Final = 64
CLOSE_SECONDS: Final = 4.0
WATCH_FIRST_SECONDS: Final = 1.0
WATCH_MOST_SECONDS: Final = 60.0


def _nothing() -> None:
    """Nobody wants to know."""


class HttpUpstream:
    """One MCP server behind a URL."""

    def __init__(self, config: Config, tongue: Tongue, pool: Pool, circuit: Circuit, seams: Seams) -> None:
        self._id = upstream = tongue.upstream
        self._config = config
        self._tongue = tongue
        self._pool = pool
        self._seams = seams
        self.vitals = Vitals(seams.now, circuit)
        self._tasks = Tasks(BACKGROUND_TASKS, partial(seams.on_event, upstream))
        self._listeners = Tasks(LISTENERS, partial(seams.on_event, upstream))
        self._speaker: Speaker | None = None
        self._settling: Single[Speaker] = Single()
        self._watching: asyncio.Task[None] | None = None
        self._lease: Lease | None = None
        """Of the last discovery: changes are listened for with it."""
        self.on_change: Callable[[], None] = _nothing

    @property
    def id(self) -> UpstreamId:
        """Its name in the configuration."""
        return self._id

    def drop(self, account: str) -> None:
        """Nothing goes on by itself here: each request shows its own credential, and sessions end when nobody uses them."""

    def state(self) -> Health:
        """How it is doing."""
        return self.vitals.health

    @property
    def era(self) -> Era | None:
        """The era it was found to speak."""
        return self._speaker.era if self._speaker is not None else None

    @property
    def processes(self) -> int:
        """None."""
        return 0

    @property
    def keeps_sessions(self) -> bool:
        """Whether what a principal does belongs to one session there; as long as the era is not known, it may."""
        return not (self._config.stateless or self._config.era == "exchange" or self.era is Era.EXCHANGE)

    def holds_session(self, order: Order) -> bool:
        """Whether the caller has a session there."""
        return isinstance(self._speaker, SessionHttp) and self._speaker.holds(order)

    async def start(self, lease: Lease) -> None:
        """Finds its era; raises Refused."""
        try:
            await self._settled(lease)
        except (NetError, Refused) as error:
            raise self._failed(before_call(self._id, error), error) from error

    async def forward(self, order: Order, notices: Notices) -> Answer:
        """Asks once and gives what was said; raises Refused. Cancelling it cancels the request upstream."""
        try:
            speaker = self._speaker or await self._settled(order.lease)
            try:
                answer = await speaker.ask(order, notices)
            except MistakenError as error:
                answer = await self._asked_anew(speaker, order, notices, str(error))
        except NetError as error:
            raise self._failed(of_net(self._id, error), error) from error
        except Refused as refused:
            self._failed(refused, refused)
            raise
        self.vitals.well()
        return answer

    async def discover(self, lease: Lease) -> Sight:
        """Everything it offers now; raises Refused. From then on changes are listened for."""
        try:
            sight = await self._seen(lease)
        except NetError as error:
            raise self._failed(before_call(self._id, error), error) from error
        except Refused as refused:
            self._failed(refused, refused)
            raise
        self.vitals.well()
        self._watch(lease)
        return sight

    async def close(self) -> None:
        """Ends sessions and streams, within seconds."""
        await self._listeners.close()
        await self._settling.stop()
        await self._tasks.settle(1.0)
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await (self._speaker.close() if self._speaker is not None else asyncio.sleep(0))
        except TimeoutError:
            self._seams.on_event(self._id, "sessions were left open: the upstream did not answer in time")
        finally:
            await self._tasks.close()
            self._pool.close()

    # Which era.

    async def _asked_anew(self, mistaken: Speaker, order: Order, notices: Notices, mistake: str) -> Answer:
        """Asks again, once, if it is found to speak something else: the first time nothing ran.

        INVARIANT: what was turned away by who speaks what was assumed is not sent twice, for only a mistake of ours says that nothing ran.
        """
        try:
            speaker = await self._settled_anew(mistaken, order.lease)
        except Refused as refused:
            raise sent_in_vain(self._id, refused) from refused
        if speaker.spoken == mistaken.spoken:
            raise broken(self._id, f"{mistake}; and it speaks what was assumed", Ran.NO)
        try:
            return await speaker.ask(order, notices)
        except MistakenError as error:
            raise broken(self._id, f"{mistake}; and then: {error}", Ran.NO) from error
        except NetError as error:
            if is_unsent(error):
                raise sent_in_vain(self._id, error) from error
            raise

    async def _settled(self, lease: Lease) -> Speaker:
        if self._speaker is None:
            try:
                self._speaker = await self._settling.run(partial(self._find, lease))
            except (NetError, Refused) as error:
                raise before_call(self._id, error) from error
        return self._speaker

    async def _settled_anew(self, mistaken: Speaker, lease: Lease) -> Speaker:
        """The speaker after a mistake, probed for once by all who noticed it."""
        if self._speaker is mistaken:
            self._speaker = None
            self._tasks.spawn(mistaken.close())
        return await self._settled(lease)

    async def _find(self, lease: Lease) -> Speaker:
        match self._config.era:
            case "exchange":
                return self._exchange(EXCHANGE_VERSIONS[0])
            case "session":
                return self._session()
            case "auto":
                self.vitals.starting()
                version = await probe(self._tongue, self._pool, lease)
                self.vitals.well()
                return self._session() if version is None else self._exchange(version)

    def _exchange(self, version: str) -> ExchangeHttp:
        return ExchangeHttp(self._tongue, self._pool, version, self._changed)

    def _session(self) -> SessionHttp:
        key_of = shared_key if self._config.stateless else own_key
        return SessionHttp(self._tongue, self._pool, self._tasks, self._listeners, self._changed, key_of)

    # What it offers.

    async def _seen(self, lease: Lease) -> Sight:
        speaker = self._speaker or await self._settled(lease)
        try:
            return await self._seen_by(speaker, lease)
        except MistakenError:
            speaker = await self._settled_anew(speaker, lease)
        try:
            return await self._seen_by(speaker, lease)
        except MistakenError as error:
            raise broken(self._id, str(error), Ran.NO) from error

    async def _seen_by(self, speaker: Speaker, lease: Lease) -> Sight:
        discovery = Discovery(
            self._id,
            speaker.era,
            lambda method, params: speaker.ask(own_order(method, params, lease), unheard),
            partial(self._seams.on_event, self._id),
        )
        return await discovery.sight(await speaker.introduce(lease))

    def _watch(self, lease: Lease) -> None:
        """Listens for changes with the credential of the last discovery, unless that is under way."""
        self._lease = lease
        if self._watching is not None and not self._watching.done():
            return
        backoff = Backoff(WATCH_FIRST_SECONDS, WATCH_MOST_SECONDS, self._seams.chance)
        watch = Watch(self._tongue, backoff, self._changed, self._respond)
        self._watching = self._listeners.spawn(watch.run(self._listen))

    async def _listen(self) -> Stream | None:
        """The stream of changes; none with a credential that has ended, until the next discovery."""
        lease = self._lease
        is_over = lease is None or (lease.expires_at is not None and lease.expires_at <= self._seams.now())
        return None if lease is None or is_over or self._speaker is None else await self._speaker.listen(lease)

    async def _respond(self, asked: Request) -> None:
        if isinstance(self._speaker, SessionHttp) and self._lease is not None:
            await self._speaker.respond(self._lease, asked)

    def _changed(self) -> None:
        self.on_change()

    def _failed(self, refused: Refused, error: NetError | Refused) -> Refused:
        """Takes note of a refusal that tells of the upstream's health, and gives it back."""
        if refused.reason.startswith("upstream_"):
            self.vitals.failed(self._seams.mask(told(refused)), blame(error))
        return refused
