"""The issuers that are trusted at this moment, each with its keys: told apart by their URLs, kept across reloads that leave them alone."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import anyio
import msgspec

from doorward.config import identity as config
from doorward.domain.errors import DoorwardError
from doorward.domain.secret import Secret
from doorward.identity.tokens.groups import Groups
from doorward.identity.tokens.issuer import Issuer, issuer, own
from doorward.identity.tokens.keys import Keys, RemoteKeys
from doorward.net.fetch import Web

_LOOK_SECONDS: Final = 15.0


class GroupSource(Protocol):
    """Who knows the groups that tokens of an issuer leave out."""

    def find(self, subject: str) -> frozenset[str] | None:
        """A person's groups, as they were asked for lately; None where that has not been done. Raises `Refused` where it failed."""
        ...

    def until(self, subject: str) -> float:
        """Until when they count."""
        ...

    async def fetch(self, subject: str) -> None:
        """Asks for them, bounded in time; `find` says what came of it. Raises nothing of its own."""
        ...


class Trusted(msgspec.Struct, frozen=True):
    """An issuer and what is needed to verify its tokens."""

    issuer: Issuer
    keys: Keys
    groups: GroupSource | None = None
    """Who is asked for groups that a token leaves out; None: such tokens are refused."""


def own_issuer(url: str, keys: Keys, groups: GroupSource | None = None) -> Trusted:
    """Our own authority, whose keys are in this process. `groups`: of people who have more than a token holds."""
    return Trusted(own(url), keys, groups)


class Means(msgspec.Struct, frozen=True):
    """With what issuers are asked for things."""

    web: Callable[[config.Issuer], Web]
    """Makes what fetches from an issuer by its egress rule; raises a `DoorwardError` where its `ca_file` cannot be read."""
    secret: Callable[[str], Secret | None]
    """The secret of our client at the issuer of a name, as it is now; may raise `DoorwardError`."""
    now: Callable[[], float]


class _Remote(msgspec.Struct, frozen=True):
    """An issuer elsewhere, as it was declared."""

    declared: config.Issuer
    trusted: Trusted
    keys: RemoteKeys


class Trust:
    """Every trusted issuer. `version` rises when one is left out or becomes another: what it has vouched for must be verified again."""

    __slots__ = ("_by_url", "_means", "_remote", "version")

    def __init__(self, means: Means) -> None:
        self._means = means
        self._remote: dict[str, _Remote] = {}
        self._by_url: dict[str, Trusted] = {}
        self.version = 0

    def adopt(self, declared: Mapping[str, config.Issuer], ours: Trusted | None) -> Callable[[], None]:
        """Goes on with other issuers, and our own authority if there is one. Those that stay as they are keep their keys.

        Gives the way back to those before, with all that was fetched of them. Raises a `DoorwardError` with nothing changed.
        """
        before = self._remote, self._by_url
        kept = {name: known for name, known in self._remote.items() if declared.get(name) == known.declared}
        remote = {name: kept.get(name) or self._made(name, one) for name, one in declared.items()}
        by_url = {one.trusted.issuer.url: one.trusted for one in remote.values()}
        if ours is not None:
            if ours.issuer.url in by_url:
                raise DoorwardError(f"expected another issuer than our own authority, got {ours.issuer.url!r}")
            by_url[ours.issuer.url] = ours
        if by_url != self._by_url:
            self.version += 1
        self._remote, self._by_url = remote, by_url

        def back() -> None:
            self._remote, self._by_url = before
            self.version += 1

        return back

    def of(self, url: str) -> Trusted | None:
        """The issuer of exactly this URL."""
        return self._by_url.get(url)

    def troubles(self) -> dict[str, str]:
        """Why keys could not be had lately, by the name of the issuer."""
        return {name: one.keys.trouble for name, one in self._remote.items() if one.keys.trouble}

    async def run(self) -> None:
        """Renews keys before they are needed, until it is cancelled."""
        while True:
            await self.renew()
            await anyio.sleep(_LOOK_SECONDS)

    async def renew(self) -> None:
        """Renews the keys that are due, all at once."""
        async with anyio.create_task_group() as group:
            for one in self._remote.values():
                if not one.keys.due_in():
                    group.start_soon(one.keys.refresh)

    def _made(self, name: str, declared: config.Issuer) -> _Remote:
        means, made = self._means, issuer(name, declared)
        web = means.web(declared)
        keys = RemoteKeys(made, web, means.now)
        client = declared.sign_in
        groups = None
        if client is not None and client.client_secret is not None and made.habits.groups_url is not None:
            groups = Groups(made, client.client_id, lambda: means.secret(name), web, means.now)
        return _Remote(declared, Trusted(made, keys, groups), keys)
