"""Who has signed in with which browser, and what that browser is being asked: what a consent is bound to (CVE-2026-27124).

LAW: a question is answered once, by the browser that was asked it. A browser proves itself by a token of 256 random bits in its cookie, of
which only the hash is kept. Visits live in memory: after a restart people sign in again, which at most providers is one redirect.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

import msgspec

from doorward.domain.ids import SubjectId
from doorward.identity.authority.port import Person

VISIT_SECONDS = 1800.0
"""How long a sign-in is good for further clients; it does not slide."""
QUESTION_SECONDS = 600.0
MOST_VISITS = 10_000
_MOST_PER_PERSON = 16
_MOST_QUESTIONS = 16
"""Of what is over its bound the oldest goes: that person signs in, or is asked, again."""

Q = TypeVar("Q")


class Visit(msgspec.Struct):
    """One browser that one person has signed in with."""

    key: str
    """The hash it is found by."""
    person: Person
    at: float
    """Unix seconds."""
    occasion: str
    """The page that the person signed in for (a digest): for it the sign-in is a fresh one."""
    questions: dict[str, tuple[object, float]] = msgspec.field(default_factory=dict)
    """What this browser is being asked, by the hash of the token in the form, with its time."""


class Visits:
    """Every visit."""

    __slots__ = ("_draw", "_most", "_now", "_visits")

    def __init__(self, draw: Callable[[int], bytes], now: Callable[[], float], most: int = MOST_VISITS) -> None:
        self._draw, self._now, self._most = draw, now, most
        # INVARIANT: in the order of their beginning.
        self._visits: dict[str, Visit] = {}

    def open(self, person: Person, occasion: str) -> str:
        """The token of a new visit. It is another one at each sign-in, so that none can be planted beforehand."""
        self._make_room(person.subject.id)
        token = self._token()
        key = _hashed(token)
        self._visits[key] = Visit(key, person, self._now(), occasion)
        return token

    def renew(self, before: str, person: Person, occasion: str) -> str:
        """As `open`, and ends the visit that this browser had; what the same person is being asked in other tabs stays open."""
        old = self.end(before)
        token = self.open(person, occasion)
        if old is not None and old.person.subject.id == person.subject.id:
            self._visits[_hashed(token)].questions.update(old.questions)
        return token

    def find(self, token: str) -> Visit | None:
        """The visit of a browser, if it is not over."""
        visit = self._visits.get(_hashed(token))
        return None if visit is None or self._is_over(visit) else visit

    def end(self, token: str) -> Visit | None:
        """Ends the visit of a browser; gives it, if it was not over."""
        visit = self.find(token)
        self._visits.pop(_hashed(token), None)
        return visit

    def end_person(self, subject: SubjectId) -> None:
        """Ends every visit of a person."""
        for visit in [visit for visit in self._visits.values() if visit.person.subject.id == subject]:
            del self._visits[visit.key]

    def ask(self, visit: Visit, asked: object) -> str:
        """The token of the form that asks a person something in this browser."""
        token = self._token()
        visit.questions[_hashed(token)] = asked, self._now()
        for surplus in list(visit.questions)[:-_MOST_QUESTIONS]:
            del visit.questions[surplus]
        return token

    def answered(self, visit: Visit, token: str, kind: type[Q]) -> Q | None:
        """What this browser was asked with this token. It is over now, whatever the answer; None if it was before, or was nothing of the kind."""
        asked, at = visit.questions.pop(_hashed(token), (None, 0.0))
        return asked if isinstance(asked, kind) and self._now() < at + QUESTION_SECONDS else None

    def _make_room(self, subject: SubjectId) -> None:
        for visit in list(self._visits.values()):
            if not self._is_over(visit):
                break
            del self._visits[visit.key]
        mine = [visit for visit in self._visits.values() if visit.person.subject.id == subject]
        for surplus in mine[: max(0, len(mine) + 1 - _MOST_PER_PERSON)]:
            del self._visits[surplus.key]
        if len(self._visits) >= self._most:
            del self._visits[next(iter(self._visits))]

    def _is_over(self, visit: Visit) -> bool:
        return self._now() >= visit.at + VISIT_SECONDS

    def _token(self) -> str:
        return urlsafe_b64encode(self._draw(32)).rstrip(b"=").decode()


def _hashed(token: str) -> str:
    """What a token is found by: looking it up takes no time that tells of its bytes."""
    return sha256(token.encode()).hexdigest()
