"""Consents in memory (`ConsentStore`): for tests and trials."""

from collections.abc import Callable

from doorward.identity.consents import Consent

_Key = tuple[str, str, str, str]


class MemoryConsents:
    """Everything that people have consented to since the process began."""

    def __init__(self) -> None:
        self._consents: dict[_Key, Consent] = {}

    async def of(self, subject: str) -> tuple[Consent, ...]:
        """Every consent of a person, the latest first."""
        return self._of(subject)

    async def put(self, consent: Consent, most: int) -> None:
        """Keeps a consent; the oldest of the person beyond `most` go."""
        self._consents[_key(consent)] = consent
        for old in self._of(consent.subject)[most:]:
            del self._consents[_key(old)]

    async def drop(self, subject: str, client: str) -> tuple[Consent, ...]:
        """Forgets a person's consents to one client."""
        return self._drop(lambda consent: (consent.subject, consent.client) == (subject, client))

    async def drop_subject(self, subject: str) -> tuple[Consent, ...]:
        """Forgets a person's consents."""
        return self._drop(lambda consent: consent.subject == subject)

    async def drop_client(self, client: str) -> tuple[Consent, ...]:
        """Forgets everybody's consents to one client."""
        return self._drop(lambda consent: consent.client == client)

    def _of(self, subject: str) -> tuple[Consent, ...]:
        mine = (consent for consent in self._consents.values() if consent.subject == subject)
        return tuple(sorted(mine, key=lambda consent: consent.at, reverse=True))

    def _drop(self, is_meant: Callable[[Consent], bool]) -> tuple[Consent, ...]:
        gone = tuple(consent for consent in self._consents.values() if is_meant(consent))
        for consent in gone:
            del self._consents[_key(consent)]
        return gone


def _key(consent: Consent) -> _Key:
    return consent.subject, consent.client, consent.redirect_uri, consent.resource
