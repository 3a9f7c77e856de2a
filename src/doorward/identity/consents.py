"""What people have consented to: for each person the clients that were approved (MCP security best practices, confused deputy).

LAW: a remembered consent speaks for the very same client, as it was then, at the very same address, for one endpoint and no more scopes.
It never speaks for an address on the person's own machine: any program can listen there (RFC 8252 §8.6).
"""

import re
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from doorward.domain.actors import Subject
from doorward.identity.authority.port import Asked

_PORT = re.compile(r"^([a-z]+://(?:\[[^]]*\]|[^:/?]*)):[0-9]+")

MOST_PER_PERSON = 256
"""Consents that are remembered of one person; the oldest makes room."""


class Consent(msgspec.Struct, frozen=True):
    """One person's approval of one client for one endpoint."""

    subject: str
    """`corp:alice`."""
    client: str
    """The OAuth client's id."""
    redirect_uri: str
    """Where its codes may go, as it was shown; on the person's own machine without the port, which is another one each time."""
    resource: str
    """The endpoint of ours that its tokens are for."""
    scopes: tuple[str, ...]
    """Everything that was approved, sorted."""
    name: str
    """What the client called itself."""
    origin: str
    """How it was known."""
    at: float
    """Unix seconds of the last approval."""


class ConsentStore(Protocol):
    """Where consents are kept. Every method is durable on return, and raises `StoreError` when it cannot answer."""

    async def of(self, subject: str) -> tuple[Consent, ...]:
        """Every consent of a person, the latest first."""
        ...

    async def put(self, consent: Consent, most: int) -> None:
        """Keeps a consent, in place of the one for the same person, client, redirect and endpoint; of a person the latest `most` stay."""
        ...

    async def drop(self, subject: str, client: str) -> tuple[Consent, ...]:
        """Forgets a person's consents to one client; gives what was there."""
        ...

    async def drop_subject(self, subject: str) -> tuple[Consent, ...]:
        """Forgets a person's consents; gives what was there."""
        ...

    async def drop_client(self, client: str) -> tuple[Consent, ...]:
        """Forgets everybody's consents to one client; gives what was there."""
        ...


class Consents:
    """The consents of everybody: asked before a client gets a code, told when a person approves, withdrawn by the person or an operator."""

    __slots__ = ("_now", "_store", "seconds")

    def __init__(self, store: ConsentStore, now: Callable[[], float], seconds: float) -> None:
        self._store, self._now = store, now
        self.seconds = seconds
        """How long an approval spares the person the question."""

    async def covers(self, subject: Subject, asked: Asked) -> bool:
        """Whether this person has approved exactly this before, so that the question need not be asked; raises `StoreError`."""
        if goes_to_own_machine(asked):
            return False
        since = self._now() - self.seconds
        known = await self._store.of(subject.id)
        return any(since < consent.at and _is_same(consent, asked) and set(asked.scopes) <= set(consent.scopes) for consent in known)

    async def remember(self, subject: Subject, asked: Asked) -> None:
        """Keeps an approval that was given now; raises `StoreError`."""
        since = self._now() - self.seconds
        before = {
            scope
            for consent in await self._store.of(subject.id)
            if since < consent.at and _is_same(consent, asked)
            for scope in consent.scopes
        }
        consent = Consent(
            subject.id,
            asked.client_id,
            _place(asked),
            asked.resource,
            tuple(sorted(before | set(asked.scopes))),
            asked.client_name,
            asked.origin.value,
            self._now(),
        )
        await self._store.put(consent, MOST_PER_PERSON)

    async def of(self, subject: str) -> tuple[Consent, ...]:
        """What a person has approved, the latest first."""
        return await self._store.of(subject)

    async def withdraw(self, subject: str, client: str) -> tuple[Consent, ...]:
        """Asks this person anew before this client gets anything; tokens that it has are another matter (`Authority.revoke`)."""
        return await self._store.drop(subject, client)

    async def withdraw_subject(self, subject: str) -> tuple[Consent, ...]:
        """As `withdraw`, for every client of a person."""
        return await self._store.drop_subject(subject)

    async def withdraw_client(self, client: str) -> tuple[Consent, ...]:
        """As `withdraw`, for everybody who approved a client."""
        return await self._store.drop_client(client)


def goes_to_own_machine(asked: Asked) -> bool:
    """Whether the code goes to whatever program listens on the person's machine, and not to a host that https proves."""
    parts = urlsplit(asked.redirect_uri)
    host = parts.hostname or ""
    return parts.scheme != "https" or host in ("localhost", "::1") or host.endswith(".localhost") or host.startswith("127.")


def _is_same(consent: Consent, asked: Asked) -> bool:
    return (consent.client, consent.redirect_uri, consent.resource, consent.name, consent.origin) == (
        asked.client_id,
        _place(asked),
        asked.resource,
        asked.client_name,
        asked.origin.value,
    )


def _place(asked: Asked) -> str:
    """The redirect as it is kept; of loopback addresses without the port (RFC 8252 §7.3)."""
    return _PORT.sub(r"\1", asked.redirect_uri) if goes_to_own_machine(asked) else asked.redirect_uri
