"""What one context has been shown, as keyed 64-bit hashes of names (`texts`): what stood in something untrusted first, and what did not."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from doorward.flow.pointers import escaped
from doorward.flow.texts import asked, seen

MOST_NAMES: Final = 20_000
"""Of one context: a thousand pages. Beyond, everything counts as tainted."""
_LEAST_ID: Final = 10**5
"""Numbers from six digits on are looked at as ids."""

Read = frozenset[int] | None
"""The names in a message; None where they are too many to keep, or were not read."""


class Names:
    """Makes names into hashes, under a key that is drawn for one process."""

    __slots__ = ("_key",)

    def __init__(self, draw: Callable[[int], bytes]) -> None:
        self._key = draw(32)

    def read(self, body: object) -> Read:
        """All names that a message shows, keys included. Pure, and linear in it: may run in another thread."""
        names = seen("\n".join(_texts(body)))
        return None if len(names) > MOST_NAMES else frozenset(map(self.hashed, names))

    def asked(self, text: str) -> list[int]:
        """The names under which one text is looked up."""
        return [self.hashed(name) for name in sorted(asked(text))]

    def hashed(self, name: str) -> int:
        """One name."""
        return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest(), "big")


class Index:
    """What was seen first, and where. INVARIANT: the first one that shows a name decides whether it is tainted."""

    __slots__ = ("_sources", "has_untrusted")

    def __init__(self) -> None:
        self._sources: dict[int, str] = {}
        """By name; empty for what was not seen in something untrusted first."""
        self.has_untrusted = False
        """Whether any was."""

    def __len__(self) -> int:
        return len(self._sources)

    def takes(self, names: Iterable[int], source: str) -> bool:
        """Remembers what was seen; `source` is empty for what can be trusted. Whether all of it found room."""
        self.has_untrusted = self.has_untrusted or bool(source)
        for name in names:
            self._sources.setdefault(name, source)
        return len(self._sources) <= MOST_NAMES

    def source(self, names: Iterable[int]) -> str:
        """Where one of the names was seen first that stood in something untrusted; empty where none did."""
        for name in names:
            if found := self._sources.get(name):
                return found
        return ""


def leaves(value: object) -> Iterator[tuple[str, str]]:
    """Every text of a JSON value, names of members included, and every number that may be an id, each with its pointer."""
    pending: list[tuple[str, object]] = [("", value)]
    while pending:
        pointer, one = pending.pop()
        if isinstance(one, str):
            yield pointer, one
        elif isinstance(one, Mapping):
            members = [(f"{pointer}/{escaped(name)}", name, inner) for name, inner in one.items()]
            yield from ((below, name) for below, name, _ in members if not name.isalpha())
            pending.extend([(below, inner) for below, _, inner in reversed(members)])
        elif isinstance(one, list | tuple):
            pending.extend([(f"{pointer}/{place}", inner) for place, inner in reversed(list(enumerate(one)))])
        elif isinstance(one, int | Decimal) and not -_LEAST_ID < one < _LEAST_ID:
            yield pointer, _number(one)


def _texts(body: object) -> list[str]:
    """As `leaves`, without pointers; a text that is JSON itself is read as that, for its escapes may hide what stands in it."""
    found: list[str] = []
    pending = [body]
    while pending:
        one = pending.pop()
        inner = _inner(one) if isinstance(one, str) and "\\" in one else None
        if inner is not None:
            pending.append(inner)
        elif isinstance(one, str):
            found.append(one)
        elif isinstance(one, Mapping):
            found.extend(one)
            pending.extend(one.values())
        elif isinstance(one, list | tuple):
            pending.extend(one)
        elif isinstance(one, int | Decimal) and not -_LEAST_ID < one < _LEAST_ID:
            found.append(_number(one))
    return found


def _number(number: int | Decimal) -> str:
    return f"{number:f}" if isinstance(number, Decimal) else str(number)


def decoded(text: str) -> object | None:
    """What a text is as JSON; none where it is not."""
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value


def _inner(text: str) -> object | None:
    return decoded(text) if text.lstrip()[:1] in {"{", "["} else None
