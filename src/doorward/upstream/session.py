"""An upstream of the session era over HTTP (2025-03-26 … 2025-11-25): `initialize`, a session id, streams that can be taken up again."""

import asyncio
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Final

from doorward.domain.calls import Answer, Era, Fault
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Refused
from doorward.net.connection import Response as HttpResponse
from doorward.net.connection import Timeouts
from doorward.net.errors import LATE, NetError
from doorward.net.http import Pool
from doorward.net.stream import Stream
from doorward.upstream.answers import Answers, Asked, Broken
from doorward.upstream.faults import (
    UNACCEPTED,
    MistakenError,
    before_call,
    broken,
    cut,
    having_said,
    is_unsent,
    late,
    of_status,
    sent_in_vain,
    turned_away,
)
from doorward.upstream.introductions import SpeaksExchange, of_initialization, verdict
from doorward.upstream.messages import METHOD_NOT_FOUND, Tongue, answer, notification, read_response, reply, request, session_params
from doorward.upstream.order import Order, own_order
from doorward.upstream.port import Notices, unheard
from doorward.upstream.relay import Relay, rank
from doorward.upstream.sessions import Headers, Key, LostError, Session, Sessions, declared_capabilities
from doorward.upstream.side import SIDE, SideStreams
from doorward.upstream.sight import Introduction
from doorward.upstream.tasks import Tasks
from doorward.upstream.watch import LISTENING
from doorward.wire.eras import SESSION_VERSIONS
from doorward.wire.jsonrpc import Request

OK: Final = 200
HTTP_VERSIONS: Final = frozenset(SESSION_VERSIONS) - {"2024-11-05"}
"""2024-11-05 had another transport over HTTP (two endpoints), which is not spoken here."""
ASIDE: Final = Timeouts(connect=3, first_byte=5, idle=5, total=5)
"""For what is said beside a call: cancellations and replies."""
FAREWELL: Final = Timeouts(connect=1, first_byte=2, idle=2, total=2)
"""For the end of a session, which nobody should have to wait for."""
RESUMPTIONS: Final = 16
"""Times one answer may be taken up again after its stream broke off."""
RETRY_SECONDS: Final = 1.0
MOST_RETRY_SECONDS: Final = 30.0
"""How long to wait before that where the upstream says nothing, and whatever it says."""
SESSIONS: Final = 1000
IDLE_SECONDS: Final = 1800.0
"""Sessions of one upstream and how long one is kept unused: what usual servers allow us."""
ID_CHARACTERS: Final = 1024


class SessionHttp:
    """Speaks the session era to one upstream. `key_of` says who shares a session."""

    era: Final = Era.SESSION

    def __init__(
        self,
        tongue: Tongue,
        pool: Pool,
        tasks: Tasks,
        listeners: Tasks,
        on_change: Callable[[], None],
        key_of: Callable[[Order], Key],
    ) -> None:
        self._tongue = tongue
        self._pool = pool
        self._tasks = tasks
        self._key_of = key_of
        self._numbers = count(1)
        self._introduced: Session | None = None
        self._side = SideStreams(tongue, listeners, on_change)
        self._answers = Answers(tongue, on_change)
        self._sessions = Sessions(SESSIONS, IDLE_SECONDS, self._open, self._end, asyncio.get_running_loop().time)

    @property
    def spoken(self) -> str:
        """What it speaks, by which two speakers can be told apart: each session finds out its version by itself."""
        return self.era

    async def ask(self, order: Order, notices: Notices) -> Answer:
        """Asks once; a session that is lost is made anew and the request, which was not processed, sent in it.

        Raises Refused, NetError, or MistakenError if the upstream does not speak this era and nothing ran.
        """
        key = self._key_of(order)
        session = await self._sessions.enter(key, order)
        try:
            return await self._ask_in(session, order, notices)
        except LostError:
            self._sessions.lose(session)
        finally:
            self._sessions.leave(session)
        return await self._ask_again(key, order, notices)

    def holds(self, order: Order) -> bool:
        """Whether the caller has a session, or one is being opened."""
        return self._key_of(order) in self._sessions

    async def introduce(self, lease: Lease) -> Introduction:
        """What it says of itself now: asks whether the session stands, and opens a new one where it has no id that could tell."""
        session = await self._own(lease)
        if session.id is None and session is self._introduced:
            self._sessions.lose(session)
        await self.ask(own_order("ping", {}, lease), unheard)
        self._sessions.sweep()
        self._introduced = await self._own(lease)
        return self._introduced.introduction

    async def listen(self, lease: Lease) -> Stream | None:
        """The stream of what belongs to no request, or None if it offers none; raises NetError or Refused."""
        session = await self._own(lease)
        return await self._stream(session, (), LISTENING) if session.id is not None else None

    async def respond(self, lease: Lease, asked: Request) -> None:
        """Answers a request that came on that stream."""
        await self._respond(await self._own(lease), asked)

    async def _own(self, lease: Lease) -> Session:
        """The session of the gateway itself."""
        order = own_order("ping", {}, lease)
        session = await self._sessions.enter(self._key_of(order), order)
        self._sessions.leave(session)
        return session

    async def close(self) -> None:
        """Ends every session, as far as the upstream lets itself be told within a few seconds."""
        await asyncio.gather(*(self._delete(session) for session in self._sessions.take_all()))

    async def _ask_again(self, key: Key, order: Order, notices: Notices) -> Answer:
        """Asks in a new session, once; if that cannot even be reached, the call has been sent all the same."""
        try:
            session = await self._sessions.enter(key, order)
            try:
                return await self._ask_in(session, order, notices)
            except LostError:
                self._sessions.lose(session)
                raise
            finally:
                self._sessions.leave(session)
        except LostError as error:
            raise turned_away(self._tongue.upstream, 404, "it does not know the session it has just given") from error
        except (NetError, Refused) as error:
            if is_unsent(error):
                raise sent_in_vain(self._tongue.upstream, error) from error
            raise

    async def _ask_in(self, session: Session, order: Order, notices: Notices) -> Answer:
        if order.log_level is not None:
            await self._set_level(session, order)
        number = next(self._numbers)
        token = number if order.wants_progress else None
        asked = Asked(number, Era.SESSION, Relay.of(token, order.log_level), notices, partial(self._respond, session))
        try:
            if token is not None and session.id is not None:
                await self._side.attend(session.side, asked, partial(self._stream, session, (), SIDE), partial(self._respond, session))
            return await self._send(session, asked, order.lease, request(number, order.method, session_params(order, token)))
        except asyncio.CancelledError:
            self._side.forsake(session.side, number)
            self._tell_cancelled(session, number, "the caller cancelled it")
            raise
        except NetError as error:
            if error.trouble in LATE and error.ran is not Ran.NO:
                self._tell_cancelled(session, number, "it took too long")
            raise
        finally:
            if token is not None:
                await self._side.dismiss(session.side, number)

    async def _send(self, session: Session, asked: Asked, lease: Lease, body: bytes) -> Answer:
        # With the credential of this very call: another one of the same account may be bound to another call.
        response = await self._pool.post(_headers(session, lease.headers), body)
        if response.status != OK:
            return self._turned_away(response, asked.number, session)
        if isinstance(response.body, bytes):
            return self._answers.whole(response, response.body, asked.number, Era.SESSION)
        found = await self._answers.streamed(response.body, asked)
        return found if isinstance(found, Answer) else await self._resumed(found, asked, session)

    def _turned_away(self, response: HttpResponse, number: int, session: Session) -> Answer:
        """What an answer of another status says: an error of the request, a lost session, another era, or nothing of use."""
        response.forsake()
        status = response.status
        body = response.body if isinstance(response.body, bytes) else b""
        message = read_response(self._tongue, body)
        if message is None or not isinstance(message.body, Fault) or status in UNACCEPTED:
            raise _lost() if status == 404 and session.id is not None else of_status(self._tongue.upstream, response)
        fault = message.body
        if isinstance(verdict(fault, OK), SpeaksExchange):
            raise MistakenError("it speaks the exchange era")
        if session.id is not None and _is_lost(status, fault, number == message.id):
            raise _lost()
        if message.id != number:
            raise having_said(turned_away(self._tongue.upstream, status), fault.message)
        return answer(self._tongue, message, number, Era.SESSION, len(body))

    # Streams that broke off.

    async def _resumed(self, found: Broken, asked: Asked, session: Session) -> Answer:
        try:
            async with asyncio.timeout(self._tongue.timeouts.total):
                return await self._taken_up(found, asked, session)
        except TimeoutError as error:
            self._tell_cancelled(session, asked.number, "it took too long")
            raise late(self._tongue.upstream, "no answer on a stream that was taken up again") from error

    async def _taken_up(self, found: Broken, asked: Asked, session: Session) -> Answer:
        for _ in range(RESUMPTIONS):
            await asyncio.sleep(RETRY_SECONDS if found.retry_ms is None else min(found.retry_ms / 1000, MOST_RETRY_SECONDS))
            try:
                stream = await self._stream(session, (("Last-Event-ID", found.last_id),), self._tongue.timeouts)
            except NetError as error:
                raise cut(self._tongue.upstream, f"its stream could not be taken up again: {error}") from error
            if stream is None:
                raise cut(self._tongue.upstream, "its stream could not be taken up again")
            next_found = await self._answers.streamed(stream, asked, found.last_id)
            if isinstance(next_found, Answer):
                return next_found
            found = next_found
        raise cut(self._tongue.upstream, f"its stream broke off more than {RESUMPTIONS} times")

    async def _stream(self, session: Session, more: tuple[tuple[str, str], ...], timeouts: Timeouts) -> Stream | None:
        response = await self._pool.get([*_headers(session, session.credential), *more], timeouts)
        if response.status == OK and isinstance(response.body, Stream):
            return response.body
        response.forsake()
        return None

    # Beside the calls.

    async def _set_level(self, session: Session, order: Order) -> None:
        """Makes the session at least as talkative as this caller wants; what others did not want is dropped by their relay."""
        wanted = rank(order.log_level)
        is_enough = session.level is not None and wanted is not None and session.level <= wanted
        if wanted is None or is_enough or "logging" not in session.introduction.capabilities:
            return
        session.level = wanted
        number = next(self._numbers)
        asked = Asked(number, Era.SESSION, Relay(None, None), unheard, partial(self._respond, session))
        try:
            await self._send(session, asked, order.lease, request(number, "logging/setLevel", {"level": order.log_level}))
        except (NetError, Refused) as error:
            session.level = None
            raise before_call(self._tongue.upstream, error) from error

    def _tell_cancelled(self, session: Session, number: int, reason: str) -> None:
        self._tasks.spawn(self._post_aside(session, notification("notifications/cancelled", {"requestId": number, "reason": reason})))

    async def _respond(self, session: Session, asked: Request) -> None:
        await self._post_aside(session, reply(asked))

    async def _post_aside(self, session: Session, body: bytes) -> None:
        """Says something that gets no answer. If it does not arrive, the request it belongs to runs into its own time-out."""
        try:
            response = await self._pool.post(_headers(session, session.credential), body, ASIDE)
        except NetError:
            return
        response.forsake()

    def _end(self, session: Session) -> None:
        self._tasks.spawn(self._delete(session))

    async def _delete(self, session: Session) -> None:
        if session.id is None:
            return
        try:
            response = await self._pool.delete(_headers(session, session.credential), FAREWELL)
        except NetError:
            return  # it is gone or does not answer: the upstream ends the session by itself after a while
        response.forsake()

    # The beginning of a session.

    async def _open(self, key: Key, order: Order) -> Session:
        try:
            return await self._initialized(key, order)
        except (NetError, Refused) as error:
            raise before_call(self._tongue.upstream, error) from error

    async def _initialized(self, key: Key, order: Order) -> Session:
        upstream = self._tongue.upstream
        number = next(self._numbers)
        client = {
            "protocolVersion": SESSION_VERSIONS[0],
            "capabilities": declared_capabilities(order),
            "clientInfo": self._tongue.client_info,
        }
        credential = order.lease.headers
        blank = Session(key, None, "", Introduction((), {}, {}, None), (), credential)
        response = await self._pool.post(_headers(blank, credential), request(number, "initialize", client))
        if response.status != OK:
            found: Answer | Broken = self._turned_away(response, number, blank)
        else:
            asked = Asked(number, Era.SESSION, Relay(None, None), unheard, partial(self._respond, blank))
            found = await self._answers.of(response, asked)
        if not isinstance(found, Answer) or isinstance(found.body, Fault):
            raise _not_begun(self._tongue, found)
        introduction = of_initialization(found.body)
        if not introduction.versions or introduction.versions[0] not in HTTP_VERSIONS:
            raise broken(upstream, f"a version of the session era was expected, not {introduction.versions[:1]}", Ran.NO)
        session = _session(key, _session_id(self._tongue, response), introduction, credential)
        begun = await self._pool.post(_headers(session, credential), notification("notifications/initialized"))
        begun.forsake()
        if not 200 <= begun.status < 300:
            raise turned_away(upstream, begun.status, f"notifications/initialized was answered with http status {begun.status}")
        return session


def _lost() -> LostError:
    return LostError("the upstream does not know the session")


def _is_lost(status: int, fault: Fault, is_ours: bool) -> bool:
    """Whether an error says that the session has ended: status 404 does, and 400 is how some servers put it; neither was processed."""
    if status == 404:
        return not is_ours or fault.code != METHOD_NOT_FOUND
    return status == 400 and not is_ours and "session" in fault.message.lower()


def _headers(session: Session, credential: Headers) -> list[tuple[str, str]]:
    return [*session.headers, *((name, secret.reveal()) for name, secret in credential)]


def _session(key: Key, session_id: str | None, introduction: Introduction, credential: Headers) -> Session:
    version = introduction.versions[0]
    headers = [] if version == "2025-03-26" else [("MCP-Protocol-Version", version)]
    if session_id is not None:
        headers.append(("Mcp-Session-Id", session_id))
    return Session(key, session_id, version, introduction, tuple(headers), credential)


def _session_id(tongue: Tongue, response: HttpResponse) -> str | None:
    given = response.headers.get(b"mcp-session-id")
    if given is None:
        return None
    text = given.decode("latin-1")
    if not 0 < len(text) <= ID_CHARACTERS or not all("!" <= character <= "~" for character in text):
        raise broken(tongue.upstream, "a session id of visible ascii was expected", Ran.NO)
    return text


def _not_begun(tongue: Tongue, found: Answer | Broken) -> Exception:
    if not isinstance(found, Answer) or not isinstance(found.body, Fault):
        return cut(tongue.upstream, "its stream broke off during initialize", Ran.NO)
    if isinstance(verdict(found.body, OK), SpeaksExchange):
        return MistakenError("it speaks the exchange era")
    return having_said(broken(tongue.upstream, f"initialize was answered with error {found.body.code}", Ran.NO), found.body.message)
