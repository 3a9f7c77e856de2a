"""What a person should see before trusting a definition: names that pass for others, and texts that speak of other servers' tools."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from doorward.catalog.offer import Offer
from doorward.catalog.pins import Key
from doorward.catalog.text import is_clean, skeleton, visible
from doorward.domain.catalog import Definition, Kind
from doorward.domain.ids import UpstreamId

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_.-]+[A-Za-z0-9]+)+|[a-z]+[0-9]*(?:[A-Z][a-z0-9]*)+")
"""Names that plain English does not have: `create_issue`, `create-issue`, `issues.create`, `createIssue`."""

TOKEN = re.compile(r"[A-Za-z0-9_.-]{3,}")
EMOJI = re.compile("[\U0001f000-\U0001faff\u2190-\u2bff\ufe0f]\u200d(?=[\U0001f000-\U0001faff\u2190-\u2bff])|[\ufe0f\n\r\t]")
"""Joiners and selectors where they make an emoji, and the blanks of ordinary text."""

NAMED = frozenset({Kind.TOOL, Kind.PROMPT})


class Sort(StrEnum):
    """What is suspicious."""

    SAME_NAME = "same_name"
    """Two servers use one name, or names that differ in case and hyphens only: common, and kept apart by prefixes."""
    LOOKALIKE = "lookalike"
    """A name that a person reads as another one: `g1thub`, `сreate_issue` with a Cyrillic letter."""
    FOREIGN_PREFIX = "foreign_prefix"
    """A name that begins like those of another upstream: it would pass for one of its tools."""
    MENTION = "mention"
    """A text that names another server's tool: how a poisoned description bends the use of tools that are not its own (shadowing)."""
    HIDDEN_TEXT = "hidden_text"
    """Characters that cannot be seen."""


HOLDING = frozenset({Sort.LOOKALIKE, Sort.FOREIGN_PREFIX, Sort.MENTION, Sort.HIDDEN_TEXT})
"""What keeps a definition from being accepted at first use: it waits for a person."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One finding about one definition."""

    key: Key
    sort: Sort
    detail: str


def suspicions(offers: Mapping[UpstreamId, Offer], about: UpstreamId | None = None) -> tuple[Suspicion, ...]:
    """Everything suspicious about what upstreams offer (`about`: of one alone), seen beside all others; nothing of it is fatal."""
    definitions = [definition for offer in offers.values() for definition in offer.definitions.values()]
    owners = _owners(definitions)
    namesakes = _namesakes(definitions)
    found: list[Suspicion] = []
    for definition in definitions:
        if about in {None, definition.upstream}:
            found.extend(_names(definition, namesakes))
            found.extend(_prefixes(definition, offers))
            found.extend(_texts(definition, owners))
    return tuple(sorted(found, key=lambda suspicion: (suspicion.key, suspicion.sort, suspicion.detail)))


def held(found: tuple[Suspicion, ...]) -> frozenset[Key]:
    """What is not accepted without a person."""
    return frozenset(suspicion.key for suspicion in found if suspicion.sort in HOLDING)


def _key(definition: Definition) -> Key:
    return definition.upstream, definition.kind, definition.name


def _namesakes(definitions: list[Definition]) -> Mapping[tuple[Kind, str], list[Definition]]:
    """Definitions of one kind whose names fold to the same skeleton, on other upstreams or on the same one."""
    alike: dict[tuple[Kind, str], list[Definition]] = {}
    for definition in definitions:
        if definition.kind in NAMED:
            alike.setdefault((definition.kind, skeleton(definition.name)), []).append(definition)
    return alike


def _names(definition: Definition, namesakes: Mapping[tuple[Kind, str], list[Definition]]) -> Iterator[Suspicion]:
    group = namesakes.get((definition.kind, skeleton(definition.name)), [])
    others = [other for other in group if other is not definition]
    passing = [other for other in others if _plain(other.name) != _plain(definition.name)]
    if passing:
        yield Suspicion(_key(definition), Sort.LOOKALIKE, f"reads like {_place(passing[0])}")
    elif others:
        yield Suspicion(_key(definition), Sort.SAME_NAME, f"is also the name of {_place(others[0])}")


def _plain(name: str) -> str:
    return re.sub(r"[_.-]", "", name).lower()


def _place(definition: Definition) -> str:
    return f"{definition.upstream}/{visible(definition.name)}"


def _prefixes(definition: Definition, offers: Mapping[UpstreamId, Offer]) -> Iterator[Suspicion]:
    if definition.kind in NAMED:
        first, mark, _ = definition.name.partition("__")
        if mark and first != definition.upstream and first in offers:
            yield Suspicion(_key(definition), Sort.FOREIGN_PREFIX, f"begins like a name of {first}")


def _owners(definitions: list[Definition]) -> Mapping[str, frozenset[UpstreamId]]:
    """Which upstreams have a tool of a name, for names that cannot be plain words."""
    owners: dict[str, set[UpstreamId]] = {}
    for definition in definitions:
        if definition.kind is Kind.TOOL and IDENTIFIER.fullmatch(definition.name):
            owners.setdefault(definition.name.lower(), set()).add(definition.upstream)
    return {name: frozenset(upstreams) for name, upstreams in owners.items()}


def _texts(definition: Definition, owners: Mapping[str, frozenset[UpstreamId]]) -> Iterator[Suspicion]:
    """Every string and key of a definition is looked at, wherever it stands: poison hides in any field."""
    text = "\n".join(strings(definition.body))
    for word in sorted(_words(text) & owners.keys()):
        if definition.upstream not in owners[word]:
            yield Suspicion(_key(definition), Sort.MENTION, f"speaks of {word}, a tool of {min(owners[word])}")
    if not is_clean(EMOJI.sub("", text)):
        yield Suspicion(_key(definition), Sort.HIDDEN_TEXT, "holds characters that cannot be seen")


def _words(text: str) -> set[str]:
    """Names as a text may write them: alone, or behind the name of a server (`github__create_issue`, `github.create_issue`)."""
    tokens = {token.strip("_.-") for token in TOKEN.findall(text.lower())}
    return tokens.union(*(token.split(mark) for token in tokens for mark in ("__", ".") if mark in token))


def strings(body: object) -> Iterator[str]:
    """Every key and every text in a JSON value."""
    stack = [body]
    while stack:
        node = stack.pop()
        match node:
            case str():
                yield node
            case Mapping():
                yield from node
                stack.extend(node.values())
            case list():
                stack.extend(node)
            case _:
                pass
