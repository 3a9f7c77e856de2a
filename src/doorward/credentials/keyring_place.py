"""The keyring of the operating system as a place of key-encryption keys, by the package `keyring`."""

import asyncio
from collections.abc import Callable
from typing import Final

from doorward.credentials.keyring_thread import BackendError, Question, asked
from doorward.credentials.wrapping import WrappingError

SECONDS: Final = 5.0
"""A keyring that asks a person to unlock it does not answer; nobody sits in front of a gateway."""

Get = Callable[[str, str], str | None]
"""`keyring.get_password`: service and name to the text, None where there is none."""
Set = Callable[[str, str, str], None]
"""`keyring.set_password`."""


class KeyringPlace:
    """The entry of one name under one service."""

    __slots__ = ("_get", "_name", "_seconds", "_service", "_set")

    def __init__(self, entry: tuple[str, str], get: Get, set_: Set, seconds: float = SECONDS) -> None:
        """`entry`: service and name. Both functions wait, and may raise anything of their backend's."""
        self._service, self._name = entry
        self._get, self._set = get, set_
        self._seconds = seconds

    def __str__(self) -> str:
        return f"the entry {self._name!r} of {self._service!r} in the keyring"

    async def read(self) -> str | None:
        """The text of the entry."""
        return await self._asked(lambda: self._get(self._service, self._name))

    async def write(self, text: str) -> None:
        """Replaces the entry, and reads it again: some keyrings keep less than they are given."""

        def put() -> str | None:
            self._set(self._service, self._name, text)
            return self._get(self._service, self._name)

        if await self._asked(put) != text:
            raise WrappingError(f"{self} does not keep what it was given")

    async def _asked(self, question: Question) -> str | None:
        try:
            async with asyncio.timeout(self._seconds):
                return await asked(question)
        except BackendError as error:
            raise WrappingError(f"{self} cannot be used: {error}") from None
        except TimeoutError as error:
            raise WrappingError(f"{self} did not answer within {self._seconds:g} s; is the keyring locked?") from error
