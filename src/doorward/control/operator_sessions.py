"""Who is signed in: sessions of operators, each known by a random text of which only the hash is kept.

They are kept in memory alone: a restart signs everybody out, and nothing on a disk can be used to act as anybody. What a session may
do is not kept at all: each request asks the configuration in force what the person's groups may do.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256

import msgspec

from doorward.identity.sign_in import Person

PREFIX = "dwo_"
"""So that secret scanners know an operator's token, and nobody takes it for an agent's key (`dw_`)."""
MOST = 1000
MOST_OF_ONE = 8
"""Sessions of one person at the same time: a new one ends the oldest."""


class Door(StrEnum):
    """What a session is held by. One is never good where the other is asked for."""

    BROWSER = "browser"
    """A cookie that no script can read."""
    COMMAND = "command"
    """A bearer token in a file of the operator's own."""


class OperatorSession(msgspec.Struct, frozen=True):
    """One sign-in."""

    id: str
    """Names it in lists and logs, and opens nothing."""
    person: Person
    issuer: tuple[str, str]
    """Name and URL of the provider that vouches for the person and their groups."""
    door: Door
    began_at: float
    """Unix seconds."""


class OperatorSessions:
    """Every session that stands."""

    __slots__ = ("_draw", "_now", "_sessions")

    def __init__(self, draw: Callable[[int], bytes], now: Callable[[], float]) -> None:
        self._draw, self._now = draw, now
        self._sessions: dict[bytes, OperatorSession] = {}

    def open(self, person: Person, issuer: tuple[str, str], door: Door) -> tuple[str, OperatorSession]:
        """A new session, and the text that it is known by: never one that was there before (no fixation)."""
        text = PREFIX + random_text(self._draw)
        session = OperatorSession(self._draw(8).hex(), person, issuer, door, self._now())
        self._make_room(session)
        self._sessions[_digest(text)] = session
        return text, session

    def find(self, text: str, door: Door, seconds: float) -> OperatorSession | None:
        """The session of a text, if it is held by this door and not older than so many seconds."""
        session = self._sessions.get(_digest(text))
        if session is None or session.door is not door or self._now() >= session.began_at + seconds:
            return None
        return session

    def end(self, session_id: str) -> OperatorSession | None:
        """Ends a session; gives the one that stood."""
        found = next(((key, session) for key, session in self._sessions.items() if session.id == session_id), None)
        return None if found is None else self._sessions.pop(found[0])

    def all(self, seconds: float) -> tuple[OperatorSession, ...]:
        """Those that are not older than so many seconds, oldest first; the others are forgotten."""
        self._sessions = {key: session for key, session in self._sessions.items() if self._now() < session.began_at + seconds}
        return tuple(self._sessions.values())

    def _make_room(self, coming: OperatorSession) -> None:
        """Drops the oldest where there are too many: of the same person first, so that nobody can push others out."""
        own = [key for key, session in self._sessions.items() if session.person.subject.id == coming.person.subject.id]
        for key in own[: max(0, len(own) - MOST_OF_ONE + 1)]:
            del self._sessions[key]
        while len(self._sessions) >= MOST:
            del self._sessions[next(iter(self._sessions))]


def random_text(draw: Callable[[int], bytes]) -> str:
    """256 random bits as text."""
    return urlsafe_b64encode(draw(32)).rstrip(b"=").decode()


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
