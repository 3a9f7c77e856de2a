"""The groups of people who have more than a token holds: kept with their families, asked for by whoever reads the token.

As for other issuers (`identity/tokens/groups.py`): a person whose groups cannot be told has no access, rather than one with too few.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Reason, Refused
from doorward.identity.authority.families import AuthorityStore

KEPT_SECONDS: Final = 300.0
_FAILED_SECONDS: Final = 5.0
_MOST_PEOPLE: Final = 4096


class _Known(msgspec.Struct, frozen=True):
    """A person's groups; an empty set where they could not be had."""

    groups: frozenset[str]
    until: float


class FamilyGroups:
    """Knows the groups of people whose tokens leave them out."""

    __slots__ = ("_known", "_now", "_store")

    def __init__(self, store: AuthorityStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._known: dict[str, _Known] = {}

    def find(self, subject: str) -> frozenset[str] | None:
        """A person's groups, as they were looked up lately; None where that has not been done. Raises `Refused` where there are none."""
        known = self._known.get(subject)
        if known is None or self._now() >= known.until:
            return None
        if not known.groups:
            raise Refused(Reason.UNAUTHENTICATED, "the groups that the token leaves out are not known: expected a grant that stands")
        return known.groups

    def until(self, subject: str) -> float:
        """Until when they count."""
        known = self._known.get(subject)
        return known.until if known else float("-inf")

    async def fetch(self, subject: str) -> None:
        """Looks them up; `find` says what came of it."""
        now = self._now()
        try:
            groups = frozenset(await self._store.groups(subject, now))
        except DoorwardError:
            groups = frozenset()
        self._known.pop(subject, None)
        if len(self._known) >= _MOST_PEOPLE:
            del self._known[next(iter(self._known))]
        self._known[subject] = _Known(groups, now + (KEPT_SECONDS if groups else _FAILED_SECONDS))
