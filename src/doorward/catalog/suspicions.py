"""What a person should see before trusting a definition: names that pass for others, and texts that speak of other servers' tools."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations

import msgspec

from doorward.catalog.offer import NAME_CHARACTERS, Offer
from doorward.catalog.pins import Approval, HeldBackError, Key
from doorward.catalog.poison.found import WEIGHTS, Found, Rule
from doorward.catalog.poison.places import places
from doorward.catalog.text import skeleton, visible
from doorward.domain.catalog import Definition, Kind
from doorward.domain.findings import Severity
from doorward.domain.ids import UpstreamId

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_.-]+[A-Za-z0-9]+)+|[a-z]+[0-9]*(?:[A-Z][a-z0-9]*)+")
"""Names that plain English does not have: `create_issue`, `create-issue`, `issues.create`, `createIssue`."""

_DIGITS = re.compile(r"[0-9]+")
TOKEN = re.compile(r"[A-Za-z0-9_.-]{3,}")
NAMED = frozenset({Kind.TOOL, Kind.PROMPT})

MOST_NEAR = 16
"""Names that differ in one letter at one place, of which each is compared with each."""

LONG_NAME = 9
"""Letters from which on a name that differs in one is taken for a slip of the eye: short names are near each other by chance."""


class Suspicion(msgspec.Struct, frozen=True):
    """One finding about one definition."""

    key: Key
    found: Found


def suspicions(offers: Mapping[UpstreamId, Offer], about: UpstreamId | None = None) -> tuple[Suspicion, ...]:
    """Everything suspicious about what upstreams offer (`about`: of one alone), by itself and beside all others; worst first of each."""
    definitions = [definition for offer in offers.values() for definition in offer.definitions.values()]
    beside = _Beside(_owners(definitions), _namesakes(definitions), _near(definitions))
    return tuple(
        Suspicion(_key(definition), found)
        for definition in sorted(definitions, key=_key)
        if about in {None, definition.upstream}
        for found in _of(definition, offers, beside)
    )


def held(found: Iterable[Suspicion]) -> frozenset[Key]:
    """What is accepted by nobody but a person who names the rule."""
    return frozenset(suspicion.key for suspicion in found if suspicion.found.severity is Severity.HIGH)


def check_named(found: Iterable[Suspicion], approvals: Iterable[Approval]) -> None:
    """Raises `HeldBackError` where a definition that is to be accepted has a high finding whose rule its approval does not name."""
    rules: dict[Key, set[str]] = {}
    for suspicion in found:
        if suspicion.found.severity is Severity.HIGH:
            rules.setdefault(suspicion.key, set()).add(suspicion.found.rule)
    wanted = ((one, sorted(rules.get((one.upstream, one.kind, one.name), set()) - one.despite)) for one in approvals)
    reasons = [f"{one.kind} {one.upstream}/{visible(one.name[:100])}: {', '.join(left)}" for one, left in wanted if left]
    if reasons:
        raise HeldBackError(reasons)


class _Beside(msgspec.Struct, frozen=True):
    """What all upstreams offer together."""

    owners: Mapping[str, frozenset[UpstreamId]]
    namesakes: Mapping[tuple[Kind, str], list[Definition]]
    near: Mapping[tuple[Kind, str], list[Definition]]


def _of(definition: Definition, offers: Mapping[UpstreamId, Offer], beside: _Beside) -> list[Found]:
    own = offers[definition.upstream].findings.get((definition.kind, definition.name), ())
    found = {
        *own,
        *_names(definition, beside),
        *_prefixes(definition, offers),
        *_mentions(definition, beside.owners),
    }
    return sorted(found, key=lambda one: (-WEIGHTS[one.severity], one.rule, one.pointer, one.detail))


def _key(definition: Definition) -> Key:
    return definition.upstream, definition.kind, definition.name


def _namesakes(definitions: list[Definition]) -> Mapping[tuple[Kind, str], list[Definition]]:
    """Definitions of one kind whose names fold to the same skeleton, on other upstreams or on the same one."""
    alike: dict[tuple[Kind, str], list[Definition]] = {}
    for definition in definitions:
        if definition.kind in NAMED:
            alike.setdefault((definition.kind, skeleton(definition.name)), []).append(definition)
    return alike


def _names(definition: Definition, beside: _Beside) -> Iterator[Found]:
    if definition.kind not in NAMED:
        return
    folded = skeleton(definition.name)
    others = [other for other in beside.namesakes.get((definition.kind, folded), ()) if other is not definition]
    passing = [other for other in others if _plain(other.name) != _plain(definition.name)]
    if passing:
        yield Found(Rule.LOOKALIKE, Severity.HIGH, "/name", f"reads like {_place(passing[0])}")
    elif others:
        yield Found(Rule.SAME_NAME, Severity.LOW, "/name", f"is also the name of {_place(others[0])}")
    neighbours = [other for other in beside.near.get((definition.kind, folded), ()) if other.upstream != definition.upstream]
    if neighbours and not passing:
        yield Found(Rule.NEAR_NAME, Severity.MEDIUM, "/name", f"is {_place(neighbours[0])} but for a letter")


def _near(definitions: list[Definition]) -> Mapping[tuple[Kind, str], list[Definition]]:
    """For each folded name: definitions whose folded names are one letter away, by what is left of both without one letter.

    Only long names; a number more or less, or a plural, is how honest names differ.
    """
    alike: dict[tuple[Kind, str], list[Definition]] = {}
    for definition in definitions:
        if definition.kind in NAMED and LONG_NAME <= len(folded := skeleton(definition.name)) <= NAME_CHARACTERS:
            alike.setdefault((definition.kind, folded), []).append(definition)
    left: dict[tuple[Kind, str, int], set[str]] = {}
    for kind, folded in alike:
        for place in range(len(folded)):
            # Either letters differ at one place, or one has a letter more there: both leave the same rest.
            left.setdefault((kind, folded[:place] + folded[place + 1 :], place), set()).add(folded)
            left.setdefault((kind, folded, place), set()).add(folded)
    found: dict[tuple[Kind, str], list[Definition]] = {}
    for (kind, _, _), group in left.items():
        for one, other in permutations(sorted(group)[:MOST_NEAR], 2):
            near = [definition for definition in alike[kind, other] if _is_slip(alike[kind, one][0].name, definition.name)]
            found.setdefault((kind, one), []).extend(near)
    return found


def _is_slip(one: str, other: str) -> bool:
    """Whether two names that are a letter apart differ by a slip: not by a digit, nor by an ending."""
    first, second = skeleton(one), skeleton(other)
    if first == second:
        return False
    shorter, longer = sorted((first, second), key=len)
    is_numbered = _DIGITS.sub("", _plain(one)) == _DIGITS.sub("", _plain(other))
    return not (is_numbered or longer.startswith(shorter))


def _plain(name: str) -> str:
    return re.sub(r"[_.-]", "", name).lower()


def _place(definition: Definition) -> str:
    return f"{definition.upstream}/{visible(definition.name)}"


def _prefixes(definition: Definition, offers: Mapping[UpstreamId, Offer]) -> Iterator[Found]:
    if definition.kind in NAMED:
        first, mark, _ = definition.name.partition("__")
        if mark and first != definition.upstream and first in offers:
            yield Found(Rule.FOREIGN_PREFIX, Severity.HIGH, "/name", f"begins like a name of {first}")


def _owners(definitions: list[Definition]) -> Mapping[str, frozenset[UpstreamId]]:
    """Which upstreams have a tool of a name, for names that cannot be plain words."""
    owners: dict[str, set[UpstreamId]] = {}
    for definition in definitions:
        if definition.kind is Kind.TOOL and IDENTIFIER.fullmatch(definition.name):
            owners.setdefault(definition.name.lower(), set()).add(definition.upstream)
    return {name: frozenset(upstreams) for name, upstreams in owners.items()}


def _mentions(definition: Definition, owners: Mapping[str, frozenset[UpstreamId]]) -> Iterator[Found]:
    """Every string and key of a definition is looked at, wherever it stands: poison hides in any field."""
    every = [place for place in places(definition.body) if not place.is_joined]
    if not any(definition.upstream not in owners[word] for word in _words("\n".join(place.text for place in every)) & owners.keys()):
        return
    for place in every:
        foreign = [word for word in sorted(_words(place.text) & owners.keys()) if definition.upstream not in owners[word]]
        yield from (
            Found(Rule.MENTION, Severity.HIGH, place.pointer, f"speaks of {word}, a tool of {min(owners[word])}") for word in foreign
        )


def _words(text: str) -> set[str]:
    """Names as a text may write them: alone, or behind the name of a server (`github__create_issue`, `github.create_issue`)."""
    tokens = {token.strip("_.-") for token in TOKEN.findall(text.lower())}
    return tokens.union(*(token.split(mark) for token in tokens for mark in ("__", ".") if mark in token))
