"""Which secrets a document refers to: where, for whom, how old, when last used, whether they can be read; and which nobody refers to."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Final

import msgspec

from doorward.config.mentions import Mention, mentions
from doorward.config.model import Document
from doorward.config.part import Part
from doorward.config.problems import dotted
from doorward.config.references import Env, File, Pointer, Remote, Resolver
from doorward.credentials.sources.custody import READ_SECONDS, Custody
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import UpstreamId

MOST_FILES: Final = 1000
"""Files that are looked at below all declared directories together."""
DAY_SECONDS: Final = 86_400.0


class Listed(msgspec.Struct, frozen=True):
    """One secret that is referred to; times are Unix seconds."""

    reference: str
    places: tuple[str, ...]
    """Where in the document."""
    owners: tuple[str, ...]
    """The teams of the upstreams that it is for; empty where the gateway itself needs it."""
    made_at: float | None
    """When it was made or last changed: of a file its time, of KV that of the version, of a borrowed one its lease's; None: nobody says."""
    used_at: float | None
    """When it was last leased for a call, within a second; None: not since the start, or by the gateway itself."""
    is_borrowed: bool
    """It was made for us, and ends."""
    resolves: bool | None
    """Whether it could be read when that was last tried; None: not tried yet."""
    why: str
    """Why it could not be read."""


class Unused(msgspec.Struct, frozen=True):
    """What is kept and nothing refers to."""

    names: tuple[str, ...]
    troubles: tuple[str, ...]
    """What could not be looked at."""


class Inventory:
    """The secrets of the document in force."""

    __slots__ = ("_custody", "_document", "_local", "_root", "_used")

    def __init__(
        self, document: Callable[[], Document], ground: tuple[Path, Resolver], custody: Custody, used: Callable[[UpstreamId], float | None]
    ) -> None:
        """`ground`: what paths are relative to, and what reads variables and files; `used`: when a credential was last leased."""
        self._document = document
        self._root, self._local = ground
        self._custody = custody
        self._used = used

    def listed(self) -> tuple[Listed, ...]:
        """Every secret that is referred to, in the order of the document. Reads variables and files; asks no source."""
        document = self._document()
        by_pointer: dict[Pointer, list[Mention]] = {}
        for mention in mentions(document):
            by_pointer.setdefault(mention.pointer, []).append(mention)
        return tuple(self._row(pointer, found, document) for pointer, found in by_pointer.items())

    def old(self, now: float) -> tuple[str, ...]:
        """References whose secret is older than the document allows."""
        document = self._document()
        days = document.secrets.rotate_after_days
        if days is None:
            return ()
        pointers = dict.fromkeys(mention.pointer for mention in mentions(document))
        made = ((pointer, self._made_at(pointer)) for pointer in pointers)
        return tuple(str(pointer) for pointer, at in made if at is not None and now - at > days * DAY_SECONDS)

    async def unused(self) -> Unused:
        """Files of declared directories and names of sources that nothing refers to; asks the sources."""
        document = self._document()
        known = {mention.pointer for mention in mentions(document)}
        files = await asyncio.to_thread(lambda: tuple(self._forgotten(document)))
        names, troubles = [str(File(path)) for path in sorted(files)], []
        for scheme, kept in self._custody.sources.items():
            try:
                async with asyncio.timeout(READ_SECONDS):
                    found = await kept.source.names()
            except DoorwardError as error:
                troubles.append(f"{scheme}: {error}")
                continue
            except TimeoutError:
                troubles.append(f"{scheme}: no answer within {READ_SECONDS:g} s")
                continue
            used = {pointer.place for pointer in known if isinstance(pointer, Remote) and pointer.scheme == scheme}
            names += [f"{scheme}:{name}" for name in found if name not in used]
        return Unused(tuple(names), tuple(troubles))

    def _row(self, pointer: Pointer, found: list[Mention], document: Document) -> Listed:
        upstreams = [UpstreamId(str(mention.path[1])) for mention in found if mention.path[0] == "upstreams"]
        used = [at for upstream in upstreams if (at := self._used(upstream)) is not None]
        resolves, why = self._resolves(pointer)
        return Listed(
            reference=str(pointer),
            places=tuple(dict.fromkeys(dotted(mention.path) for mention in found)),
            owners=tuple(dict.fromkeys(owner for mention in found if (owner := mention.owner(document)))),
            made_at=self._made_at(pointer),
            used_at=max(used, default=None),
            is_borrowed=isinstance(pointer, Remote)
            and any(held.found.loan for held in self._custody.newest(pointer.scheme, pointer.place)),
            resolves=resolves,
            why=why,
        )

    def _resolves(self, pointer: Pointer) -> tuple[bool | None, str]:
        if not isinstance(pointer, Remote):
            why = self._local.why_not(pointer)
            return not why, why
        trouble = self._custody.troubles.get((pointer.scheme, pointer.place))
        if trouble is not None:
            return False, trouble
        held = self._custody.newest(pointer.scheme, pointer.place)
        if not held:
            return None, ""
        return (True, "") if pointer.field in held[0].found.fields else (False, "it has no field of this name")

    def _made_at(self, pointer: Pointer) -> float | None:
        match pointer:
            case Env():
                return None
            case File(path):
                return _changed_at(self._root / path)
            case Remote(scheme, place):
                held = self._custody.newest(scheme, place)
                made = [one.issued_at if one.found.loan is not None else one.found.made_at for one in held]
                return min((at for at in made if at is not None), default=None)

    def _forgotten(self, document: Document) -> Iterator[str]:
        """Files of the declared directories that stand nowhere in the document, as paths for references."""
        named = {(self._root / text).resolve() for text in _texts(document)}
        named |= {(self._root / mention.pointer.path).resolve() for mention in mentions(document) if isinstance(mention.pointer, File)}
        below = chain.from_iterable((self._root / directory).rglob("*") for directory in document.secrets.directories)
        for path in islice(below, MOST_FILES):
            if path.is_file() and path.resolve() not in named:
                yield str(path.relative_to(self._root) if path.is_relative_to(self._root) else path)


def _texts(value: object) -> Iterator[str]:
    """Every text of a document that could be a path."""
    match value:
        case Part():
            for field in type(value).model_fields:
                yield from _texts(getattr(value, field))
        case Mapping():
            for inner in value.values():
                yield from _texts(inner)
        case tuple():
            for inner in value:
                yield from _texts(inner)
        case str() if value and value.isprintable() and len(value) < 1024:
            yield value
        case _:
            return


def _changed_at(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None
