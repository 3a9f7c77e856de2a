"""The keyring of the operating system as a place of key-encryption keys, by the package `keyring`."""

import asyncio
from collections.abc import Callable
from threading import Thread
from typing import Final

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

    async def _asked(self, question: Callable[[], str | None]) -> str | None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()

        def settle(text: str | None, wrong: str) -> None:
            if not answer.done():
                answer.set_exception(WrappingError(f"{self} cannot be used: {wrong}")) if wrong else answer.set_result(text)

        def ask() -> None:
            text, wrong = _answered(question)
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, text, wrong)

        # Not of a pool, whose threads the interpreter waits for when it ends.
        Thread(target=ask, name="keyring", daemon=True).start()
        try:
            async with asyncio.timeout(self._seconds):
                return await answer
        except TimeoutError as error:
            raise WrappingError(f"{self} did not answer within {self._seconds:g} s; is the keyring locked?") from error


def _answered(question: Callable[[], str | None]) -> tuple[str | None, str]:
    """The text, or the kind of the error: what a backend says of it may hold anything."""
    try:
        return question(), ""
    except Exception as error:  # noqa: BLE001 - the root of a thread: each backend raises errors of its own
        return None, type(error).__name__
