"""Orders of operators and their leaves. LAW: what widens rights is told to the log before it is done; what narrows them is done first.

While the log cannot be written nothing can be widened; a stop or revocation goes through all the same and says what is missing.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from doorward.audit.recorder import Recorder
from doorward.domain.errors import DoorwardError, StoreError, UnrecordedError
from doorward.domain.receipts import Event

T = TypeVar("T")

FAILED = "change_failed"
"""The event after a leaf that told of a change which then could not be made."""


async def widen(recorder: Recorder, event: Event, change: Callable[[], Awaitable[T]]) -> T:
    """What comes of a change that gives rights, made once its leaf is durable; raises `UnrecordedError` with nothing changed."""
    await recorder.note(event)
    try:
        return await change()
    except DoorwardError as error:
        await recorder.note(Event(FAILED, event.by, {"event": event.type, "why": str(error)}))
        raise


async def narrow(recorder: Recorder, event: Event, change: Callable[[], Awaitable[object]]) -> tuple[str, ...]:
    """Makes a change that takes rights away, and gives warnings: that it is not durable, or that the log could not be told.

    `change` must hold in memory even where it raises `StoreError`; every other error of it is raised, with no leaf.
    """
    warnings: list[str] = []
    try:
        await change()
    except StoreError as error:
        warnings.append(f"it holds now, but would not survive a restart: {error}")
    return (*warnings, *await tell(recorder, event))


async def tell(recorder: Recorder, event: Event) -> tuple[str, ...]:
    """Tells the log of what holds already; gives a warning where it could not be told."""
    try:
        await recorder.note(event)
    except UnrecordedError as error:
        return (f"it holds now, but the log could not be told: {error}",)
    return ()
