"""Questions to the system's keyring, each in a thread of its own: it may wait for a person, and its backends raise what they like."""

import asyncio
from collections.abc import Callable
from threading import Thread

from doorward.domain.errors import DoorwardError

Question = Callable[[], str | None]
"""Asks the keyring; it waits, and may raise anything of its backend's."""


class BackendError(DoorwardError):
    """The keyring failed; the message is the kind of the error alone, for what a backend says of it may hold anything."""


def asked(question: Question, ended: Callable[[], None] = lambda: None) -> "asyncio.Future[str | None]":
    """The answer, once it is there, or `BackendError`. Whoever does not wait for it cancels it; `ended` is called all the same."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str | None] = loop.create_future()

    def settle(text: str | None, wrong: str) -> None:
        ended()
        if answer.done():
            return
        if wrong:
            answer.set_exception(BackendError(wrong))
        else:
            answer.set_result(text)

    def ask() -> None:
        text, wrong = _answered(question)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, text, wrong)

    # Not of a pool, whose threads the interpreter waits for when it ends.
    Thread(target=ask, name="keyring", daemon=True).start()
    return answer


def _answered(question: Question) -> tuple[str | None, str]:
    try:
        return question(), ""
    except Exception as error:  # noqa: BLE001 -- the root of a thread: each backend raises errors of its own
        return None, type(error).__name__
