"""The port of guards that other packages bring (entry points of the group `doorward.guards`). Stable: what stands here changes by addition.

A guard of others is shown one message and says what it finds. What is done about that, the operator's rules and the default table say.
It is called from threads that are not the gateway's; the same message must give the same findings, and nothing of it is to be kept.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

import msgspec

from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Direction, Part, Severity
from doorward.inspection.view import Carrier

__all__ = [
    "GROUP",
    "AsyncGuard",
    "Carrier",
    "Direction",
    "Factory",
    "Found",
    "Message",
    "Part",
    "SettingsError",
    "Severity",
    "SyncGuard",
    "Text",
]

GROUP: Final = "doorward.guards"
"""Entry points by which other packages bring guards: each is a `Factory`."""


class SettingsError(DoorwardError):
    """Settings that a guard cannot be made with: raised by factories, with a sentence for whoever wrote them, and no secret."""


class Text(msgspec.Struct, frozen=True):
    """One text of a message."""

    pointer: str
    """Where it stands (RFC 6901). Of requests it begins with `/arguments` or `/extras`; of JSON-RPC errors with `/message` or `/data`."""
    text: str
    part: Part = Part.VALUE
    """`KEY`: the name of the member at this pointer, not its value."""


class Message(msgspec.Struct, frozen=True):
    """One message as guards are shown it: without what guards before have had taken out."""

    carrier: Carrier
    """A request, a response (result or JSON-RPC error), or a notice (a notification on the way)."""
    direction: Direction
    """`request`: to the upstream; `response`: from it."""
    method: str
    """The MCP method of the call that it belongs to, such as `tools/call`."""
    upstream: str
    kind: str
    """`tool`, `prompt`, `resource` and the like."""
    tool: str
    """The name of the tool or prompt, or the URI of the resource."""
    agent: str
    team: str
    subject: str
    """The person or service that the agent acts for; empty for nobody."""
    texts: tuple[Text, ...]
    """Every text in it, values and keys, in its order."""


class Found(msgspec.Struct, frozen=True):
    """One thing that was found. Which guard says so, the gateway adds."""

    rule: str
    """In `snake_case`, at most 64 characters, stable; not beginning with `guard_`."""
    severity: Severity
    pointer: str
    """Of the text that it is about; empty for the message as a whole."""
    start: int = 0
    end: int = 0
    """Character offsets into that text; equal where all of it is meant."""
    part: Part = Part.VALUE


class SyncGuard(Protocol):
    """A guard that is asked in one of a few threads of its own.

    Both sorts may say which rules they have (`rules: Mapping[str, Severity]`, the gravest severity of each) and what they look at
    (`about: str`, a sentence): `doorward guard list` shows it.
    """

    def look(self, message: Message) -> Iterable[Found]:
        """What is found in a message. An error, or more time than is allowed, counts as a message that nobody has looked at."""
        ...


class AsyncGuard(Protocol):
    """A guard that is asked on an event loop of its own, in one thread, many messages at a time."""

    async def look(self, message: Message) -> Iterable[Found]:
        """The same; it is cancelled when its time is over."""
        ...


Settings = Mapping[str, object]
"""What the operator wrote under `settings`. A text with references (`${env:…}`, `${file:…}`) comes resolved, as a `Secret`."""


class Factory(Protocol):
    """What an entry point is: makes a guard, in a thread, once for each declaration that differs. Network clients are made at the first look."""

    def __call__(self, settings: Settings) -> SyncGuard | AsyncGuard:
        """The guard; raises `SettingsError` for settings that it cannot be made with, unknown ones among them."""
        ...
