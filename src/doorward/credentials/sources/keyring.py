"""The keyring of the operating system: Secret Service, KWallet, Keychain, Credential Locker, by the package `keyring`."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from doorward.credentials.keyring_thread import BackendError, asked
from doorward.credentials.sources.port import WHOLE, Found, SourceError
from doorward.domain.secret import Secret

SECONDS: Final = 5.0
"""A keyring that asks a person to unlock it does not answer; nobody sits in front of a gateway."""

AT_ONCE: Final = 4
"""Questions under way; a keyring that hangs gets no more of them."""

Get = Callable[[str, str], str | None]
"""`keyring.get_password`: service and name to the text, None where there is none; it waits, and may raise anything of its backend's."""


class KeyringSource:
    """Reads places `service/name`."""

    __slots__ = ("_asking", "_get", "_seconds")

    def __init__(self, get: Get, seconds: float = SECONDS) -> None:
        self._get = get
        self._seconds = seconds
        self._asking = 0

    async def read(self, place: str) -> Found:
        """The text that is kept for a service under a name; raises `SourceError`."""
        service, _, name = place.rpartition("/")
        if self._asking >= AT_ONCE:
            raise SourceError(f"the keyring has not answered {AT_ONCE} earlier questions; is it locked?")
        try:
            async with asyncio.timeout(self._seconds):
                text = await self._asked(service, name)
        except TimeoutError as error:
            raise SourceError(f"the keyring did not answer for {place} within {self._seconds:g} s; is it locked?") from error
        if not text:
            raise SourceError(f"the keyring holds nothing for {place}")
        return Found({WHOLE: Secret(text)})

    async def names(self) -> Sequence[str]:
        """None: a keyring does not list what it holds."""
        return ()

    async def upkeep(self) -> None:
        """There is no access that could end."""

    async def close(self) -> None:
        """Nothing is held; a question that hangs ends with the process."""

    async def _asked(self, service: str, name: str) -> str | None:
        self._asking += 1
        try:
            return await asked(lambda: self._get(service, name), self._ended)
        except BackendError as error:
            raise SourceError(f"the keyring cannot be read: {error}") from None

    def _ended(self) -> None:
        self._asking -= 1
