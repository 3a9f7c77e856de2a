"""Everything that one definition gives away by itself; what it is beside others is `suspicions`' to say. Pure, linear, bounded."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final

from msgspec.structs import replace

from doorward.catalog.poison import orders, topics, wordings
from doorward.catalog.poison.folding import QUOTES, disguises, folded, sentences, words
from doorward.catalog.poison.found import WEIGHTS, Found, Rule, quoted
from doorward.catalog.poison.grammar import Grammar, Said
from doorward.catalog.poison.keywords import asked_for, is_asking, schema_findings
from doorward.catalog.poison.links import icons, interface, links
from doorward.catalog.poison.marks import tags, unseen
from doorward.catalog.poison.places import Place, places, pointer
from doorward.catalog.poison.writings import is_prose, readings
from doorward.domain.catalog import Kind
from doorward.domain.findings import Part, Severity

MOST: Final = 200
"""Findings of one definition that are told: one that has more is read as a whole anyway."""

WORD: Final = 16
"""Characters of a single word that says nothing by itself: most texts of schemas are such words."""

NAME: Final = 400
"""Characters of a text without blanks that is read as a name."""

HEAVY: Final = 4
"""What several findings that are not high weigh together (low 1, medium 2, each rule once) when they hold a definition back."""
READABLE: Final = 3
"""What they weigh when a person should read it."""

TONES: Final = frozenset(
    {
        Rule.ORDER,
        Rule.PREFERENCE,
        Rule.OTHER_TOOLS,
        Rule.OUT_OF_SCOPE,
        Rule.SECRECY,
        Rule.OVERRIDE,
        Rule.SENSITIVE_SOURCE,
        Rule.EXFILTRATION,
        Rule.SHELL_ORDER,
        Rule.HIDDEN_COMMENT,
    }
)
"""Rules about how a text speaks: those that come together in poisoned ones."""


def findings(kind: Kind, body: Mapping[str, object]) -> tuple[Found, ...]:
    """What is odd about a definition: the worst of each rule and place, worst first."""
    found: dict[tuple[Rule, str], Found] = {}
    for one in _all(kind, body):
        known = found.get((one.rule, one.pointer))
        if known is None or WEIGHTS[one.severity] > WEIGHTS[known.severity]:
            found[one.rule, one.pointer] = one
    every = [*found.values(), *_accumulated(found.values())]
    return tuple(sorted(every, key=lambda one: (-WEIGHTS[one.severity], one.pointer, one.rule))[:MOST])


def _all(kind: Kind, body: Mapping[str, object]) -> Iterator[Found]:
    every = list(places(body))
    alone = [found for place in every if not place.is_joined for found in _in(place)]
    yield from alone
    told = {(found.rule, found.pointer.rpartition("/")[0]) for found in alone}
    for place in every:
        if place.is_joined:
            yield from (found for found in _in(place) if (found.rule, found.pointer) not in told)
    yield from icons(body)
    yield from interface(body)
    if kind is Kind.TOOL:
        yield from asked_for(body.get("inputSchema"), ("inputSchema",))
    for field in ("inputSchema", "outputSchema"):
        if field in body:
            yield from schema_findings(body[field], (field,))
    yield from _prompt_arguments(body)


def _in(place: Place) -> Iterator[Found]:
    key = " (a key)" if place.part is Part.KEY else ""
    for said in text_findings(place.text):
        yield Found(said.rule, said.severity, place.pointer, f"{said.words}{key}")


def _prompt_arguments(body: Mapping[str, object]) -> Iterator[Found]:
    arguments = body.get("arguments")
    for index, argument in enumerate(arguments if isinstance(arguments, list) else ()):
        name = argument.get("name") if isinstance(argument, Mapping) else None
        if isinstance(name, str) and is_asking(name):
            yield Found(Rule.OUT_OF_SCOPE, Severity.MEDIUM, pointer(("arguments", str(index), "name")), f"asks for {quoted(name)}")


def text_findings(text: str) -> Iterator[Said]:
    """What one text says, in each way in which it could be read; the words are fit to be shown."""
    if len(text) <= WORD and text.isascii() and text.isalnum():
        return
    for said in _direct(text):
        yield replace(said, words=quoted(said.words))
    for writing, reading in readings(text):
        inner = max((WEIGHTS[said.severity] for _, deeper in readings(reading) for said in _direct(deeper)), default=0)
        worst = max((WEIGHTS[said.severity] for said in _direct(reading)), default=inner)
        if max(worst, inner) > WEIGHTS[Severity.LOW]:
            yield Said(Rule.ENCODED_TEXT, Severity.HIGH, f"in {writing}: {quoted(reading)}")
        elif is_prose(reading):
            yield Said(Rule.ENCODED_TEXT, Severity.MEDIUM, f"in {writing}: {quoted(reading)}")


def _direct(text: str) -> Iterator[Said]:
    """What a text says without being read from another writing."""
    yield from unseen(text)
    yield from tags(text)
    yield from links(text)
    plain = folded(text)
    spoken = tuple(_spoken(plain, text))
    yield from spoken
    said = {(one.rule, one.severity) for one in spoken}
    if not text.isascii():
        yield from _uncovered(said, text)
    for reading in disguises(plain):
        yield from (Said(Rule.DISGUISED_TEXT, Severity.HIGH, one.words) for one in _spoken(reading, reading) if _is_news(one, said))


def _is_news(one: Said, said: set[tuple[Rule, Severity]]) -> bool:
    return one.severity is not Severity.LOW and (one.rule, one.severity) not in said


def _uncovered(said: set[tuple[Rule, Severity]], text: str) -> Iterator[Said]:
    """What can only be read once disguised letters are read as what they look like."""
    weighty = {one for one in said if one[1] is not Severity.LOW}
    if weighty and weighty - {(one.rule, one.severity) for one in _spoken(text.lower().translate(QUOTES), text)}:
        yield Said(Rule.DISGUISED_TEXT, Severity.HIGH, text)


def _spoken(plain: str, text: str) -> Iterator[Said]:
    """What a text says in plain letters; a name says what its words say."""
    grammar = _grammar()
    for sentence in sentences(plain):
        yield from grammar.said(sentence)
    if len(text) <= NAME and " " not in text and "\n" not in text and (spread := words(text)) != plain:
        yield from grammar.said(spread)


def _accumulated(found: Iterable[Found]) -> Iterator[Found]:
    """Several tones of command together say more than each alone."""
    worst: dict[Rule, int] = {}
    for one in found:
        if one.rule in TONES:
            worst[one.rule] = max(worst.get(one.rule, 0), WEIGHTS[one.severity])
    weight = sum(worst.values())
    if max(worst.values(), default=0) >= WEIGHTS[Severity.HIGH] or len(worst) < 2 or weight < READABLE:
        return
    severity = Severity.HIGH if weight >= HEAVY else Severity.MEDIUM
    yield Found(Rule.ACCUMULATED, severity, "", f"several at once: {', '.join(sorted(worst))}")


@cache
def _grammar() -> Grammar:
    """Compiled at the first look: some 40 ms that a command without a catalogue does not pay."""
    return Grammar(
        wordings.OVERRIDE
        + wordings.SECRECY
        + wordings.OTHER_TOOLS
        + wordings.PREFERENCE
        + orders.SOURCES
        + orders.SHELL
        + orders.EXFILTRATION
        + orders.SCOPE
        + orders.ORDERS
        + topics.TOPICS
    )
