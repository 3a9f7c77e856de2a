"""The guard of links: images and whatever else a client loads by itself, and links that do more than lead somewhere.

What is loaded from a host that is not allowed tells that host whatever its URL was made to say, and nobody clicks: it is defused. A link
that a person would have to follow is left alone, unless it runs something, carries something, or leads elsewhere than it seems to.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from doorward.domain.findings import Finding, Part, Severity
from doorward.domain.ids import UpstreamId
from doorward.inspection.characters import cleaned, without
from doorward.inspection.gate import Gate
from doorward.inspection.links import gates, judged, markdown, markup, places
from doorward.inspection.links.hosts import Allowed
from doorward.inspection.links.judged import Verdict, followed, loaded
from doorward.inspection.links.payload import carries_text
from doorward.inspection.links.places import Manner, Place
from doorward.inspection.links.target import of_url
from doorward.inspection.view import Carrier, View
from doorward.inspection.walk import Leaf, Path, pointer

NAME = "links"
MOST = 512
"""Findings of one message; from there on each text has one, from its next place to its last."""
RULES: Mapping[str, Severity] = MappingProxyType(
    {
        judged.IMAGE: Severity.MEDIUM,
        judged.CONTENT: Severity.MEDIUM,
        judged.LINK: Severity.LOW,
        judged.ACTIVE: Severity.HIGH,
        judged.LOCAL: Severity.HIGH,
        judged.PAYLOAD: Severity.HIGH,
        judged.DISGUISED: Severity.MEDIUM,
        judged.REDIRECTS: Severity.MEDIUM,
        judged.HTML: Severity.LOW,
    }
)
_GRAVITY = tuple(Severity)
_NAMED = frozenset({"uri", "src", "resourceUri", "ui/resourceUri", "openai/outputTemplate", "mimeType"})
"""Fields of MCP that are a destination, or say what a text is."""

Spot = tuple[int, int, str, Severity]


class Links:
    """Reports where answers and notifications lead; of requests, URLs that carry a text.

    `everywhere`: hosts that all upstreams may lead to; `per_upstream`: those and more, of the results of one.
    """

    __slots__ = ("_everywhere", "_per_upstream")

    name = NAME
    rules = RULES

    def __init__(self, everywhere: Allowed = Allowed(), per_upstream: Mapping[UpstreamId, Allowed] | None = None) -> None:  # noqa: B008 -- frozen
        self._everywhere = everywhere
        self._per_upstream = per_upstream or {}

    def gates(self, carrier: Carrier) -> Sequence[Gate]:
        """Of answers and notifications those of all upstreams."""
        if carrier is Carrier.REQUEST:
            return (gates.REQUESTS,)
        return tuple({self._gate(allowed): None for allowed in (self._everywhere, *self._per_upstream.values())})

    def look(self, view: View) -> tuple[Finding, ...]:
        """Findings in the order of the texts, those of definitions of Markdown last."""
        if view.carrier is Carrier.REQUEST:
            return tuple(_of_request(view)) if view.may(gates.REQUESTS) else ()
        allowed = self._per_upstream.get(view.call.target.upstream, self._everywhere)
        least = self._least(allowed)
        found = _Reader(allowed, least).findings(view) if view.may(self._gate(allowed)) else ()
        return (*found, *_Reader(allowed, least).veiled(view))

    def _gate(self, allowed: Allowed) -> Gate:
        return gates.ALL_LINKS if self._least(allowed) is Severity.LOW else gates.ANSWERS

    @staticmethod
    def _least(allowed: Allowed) -> Severity:
        """Where nobody has said which hosts are allowed, that a link leads to one that is not says nothing."""
        return Severity.LOW if allowed.exact or allowed.below else Severity.MEDIUM


class _Reader:
    """Reads the texts of one message. `least`: how bad a followed link to somewhere has to be."""

    __slots__ = ("_allowed", "_count", "_definitions", "_end", "_labels", "_least")

    def __init__(self, allowed: Allowed, least: Severity) -> None:
        self._allowed = allowed
        self._least = least
        self._definitions: list[tuple[Leaf, markdown.Definition]] = []
        self._labels: set[str] = set()
        self._count = 0
        self._end = 0
        """Of the text that is read."""

    def findings(self, view: View) -> Iterator[Finding]:
        """What stands in the texts, and in the blobs."""
        for leaf in view.leaves:
            yield from self._placed(leaf, [*self._of_text(leaf, leaf[1]), *self._of_field(leaf)])
        others = view.others if b'"blob":"' in view.encoded else ()
        for leaf, other in others:
            if _step(leaf[0]) == "blob":
                end = other.end or len(leaf[1])
                spots = [(other.start, end, *spot[2:]) for spot in self._of_text((leaf[0], other.text, leaf[2]), other.text)]
                yield from self._placed(leaf, spots)
        yield from self._of_definitions()

    def veiled(self, view: View) -> Iterator[Finding]:
        """What stands there only once characters that are not seen are taken out, as they may be; about the whole text."""
        for leaf, hidden in view.hidden:
            bare = without(leaf[1], hidden)
            plain = {cleaned(leaf[1][start:end]) for start, end, _, _ in self._of_text(leaf, leaf[1])}
            more = [spot for spot in self._of_text(leaf, bare) if bare[spot[0] : spot[1]] not in plain]
            gravest = max(more, key=_gravity, default=None)
            yield from () if gravest is None else (_whole(leaf, gravest),)
        if view.hidden and (self._labels or self._definitions):
            yield from self._completed(view)

    def _completed(self, view: View) -> Iterator[Finding]:
        """Definitions of images, once what is not seen is taken out of any text; about the whole text."""
        veiled = {leaf[0] for leaf, _ in view.hidden}
        for leaf in view.leaves:
            if leaf[0] not in veiled and ("![" in leaf[1] or "]:" in leaf[1]):
                self._refer(leaf, leaf[1])
        for leaf, definition in self._definitions:
            spots = self._judged((markdown.defined(definition, self._labels),))
            yield from (_whole(leaf, spot) for spot in spots)

    def _of_text(self, leaf: Leaf, text: str) -> Iterator[Spot]:
        self._end = len(text)
        is_odd = self._least is Severity.LOW or gates.odd().search(text) is not None
        yield from self._judged(self._refer(leaf, text))
        if "<" in text:
            yield from self._judged(markup.loads(text))
        if is_odd:
            yield from self._judged(markdown.links(text))
            yield from self._judged(markup.links(text))
        if "://" in text or is_odd:
            urls = (gates.urls() if is_odd else gates.long_urls()).finditer(text)
            yield from self._judged(Place(found.start(), found.end(), Manner.FOLLOWED, of_url(found.group())) for found in urls)

    def _refer(self, leaf: Leaf, text: str) -> list[Place]:
        """The images of a text; its labels and definitions are kept for when all texts are read."""
        if "]:" in text:
            self._definitions += [(leaf, definition) for definition in markdown.definitions(text)]
        if "![" not in text:
            return []
        images = markdown.images(text)
        self._labels |= images.labels
        return images.places

    def _judged(self, found: Iterable[Place]) -> Iterator[Spot]:
        for number, place in enumerate(found):
            if number == places.MOST:
                # Nobody reads so many: what is beyond is one place, to its end.
                yield place.start, self._end, judged.CONTENT, Severity.MEDIUM
                return
            verdict = self._of_link(place) if place.manner is Manner.FOLLOWED else loaded(place, self._allowed)
            if verdict is not None and place.start < place.end:
                yield place.start, place.end, *verdict

    def _of_link(self, place: Place) -> Verdict:
        verdict = followed(place.target, self._allowed)
        return None if verdict is not None and _GRAVITY.index(verdict[1]) < _GRAVITY.index(self._least) else verdict

    def _of_field(self, leaf: Leaf) -> Iterator[Spot]:
        """Of a field of MCP that is a destination as a whole."""
        path, text, part = leaf
        field = _step(path)
        if field not in _NAMED or part is Part.KEY or _is_structured(path):
            return
        if field == "mimeType":
            if text.lower().lstrip().startswith("text/html"):
                yield 0, len(text), judged.HTML, RULES[judged.HTML]
            return
        target = of_url(text)
        if field == "uri":
            verdict = self._of_link(Place(0, len(text), Manner.FOLLOWED, target))
        elif field == "src" and not _is_icon(path):
            return
        else:
            verdict = loaded(Place(0, len(text), Manner.IMAGE if field == "src" else Manner.LOADED, target), self._allowed)
        if verdict is not None:
            yield 0, len(text), *verdict

    def _of_definitions(self) -> Iterator[Finding]:
        for leaf, definition in self._definitions:
            yield from self._placed(leaf, list(self._judged((markdown.defined(definition, self._labels),))))

    def _placed(self, leaf: Leaf, spots: list[Spot]) -> Iterator[Finding]:
        """The findings of one text: each place once, as the gravest of what it is."""
        if not spots:
            return
        path, _, part = leaf
        apart: dict[tuple[int, int], Spot] = {}
        for spot in spots:
            before = apart.get(spot[:2])
            if before is None or _gravity(spot) > _gravity(before):
                apart[spot[:2]] = spot
        room = max(MOST - self._count, 0)
        ordered = sorted(apart.values(), key=lambda spot: spot[:2])
        kept, rest = ordered[:room], ordered[room:]
        if rest:
            gravest = max(rest, key=_gravity)
            kept.append((rest[0][0], max(spot[1] for spot in rest), gravest[2], gravest[3]))
        self._count += len(kept)
        for start, end, rule, severity in kept:
            yield Finding(NAME, rule, severity, pointer(path), start, end, part)


def _whole(leaf: Leaf, spot: Spot) -> Finding:
    return Finding(NAME, *spot[2:], pointer(leaf[0]), 0, 0, leaf[2])


def _gravity(spot: Spot) -> int:
    return _GRAVITY.index(spot[3])


def _of_request(view: View) -> Iterator[Finding]:
    for path, text, part in view.leaves:
        found = gates.long_urls().finditer(text) if ":" in text else ()
        places = [one.span() for one in found if carries_text(of_url(one.group()).rest)]
        yield from (Finding(NAME, judged.PAYLOAD, Severity.MEDIUM, pointer(path), start, end, part) for start, end in places)


def _step(path: Path) -> str | int:
    return "" if path is None else path[1]


def _is_icon(path: Path) -> bool:
    """Whether this is a field of one of `icons`."""
    above = None if path is None else path[0]
    return above is not None and _step(above[0]) == "icons"


def _is_structured(path: Path) -> bool:
    """Whether it lies in what an upstream's own schema describes."""
    while path is not None:
        path, step = path
        if path is None:
            return step == "structuredContent"
    return False
