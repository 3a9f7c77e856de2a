"""Redaction: takes out of a message what findings point at. It only narrows, and the same findings always give the same text.

What is not seen is left out; everything else becomes `[withheld: rule]`, wherever in the message the same value stands. A finding about
a key takes the whole member away.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Finding, Part
from doorward.inspection.characters import SEVERITIES, spans
from doorward.inspection.guards.unicode import NAME as UNICODE
from doorward.inspection.masks import Elsewhere, Masks, Named, Place, Plain, is_number
from doorward.inspection.walk import steps


class EditError(DoorwardError):
    """A finding that does not fit the message it is said to be about, or would leave nothing of it."""


Steps = tuple[str | int, ...]
"""The way to a value, first step first."""


class _Spot(msgspec.Struct):
    """What is to be done at one place, and below it."""

    findings: list[Finding] = msgspec.field(default_factory=list)
    below: dict[str, "_Spot"] = msgspec.field(default_factory=dict)
    is_dropped: bool = False


class Redacted(msgspec.Struct, frozen=True):
    """A message without what was found."""

    body: dict[str, object]
    changed: Mapping[Steps, str]
    """The places of values that are not what they were, and the rule for it; of members that are gone, nothing is told."""


def redact(body: Mapping[str, object], findings: Iterable[Finding]) -> dict[str, object]:
    """The body without what the findings point at, and of no more; the body given is not changed. Raises `EditError`.

    For requests: what is taken out there makes another call, and nobody is to guess which one.
    """
    edited = _Edit(Plain(), Elsewhere({})).of(body, _root(body, findings), ())
    assert isinstance(edited, dict)
    return edited


def redacted(body: Mapping[str, object], findings: Iterable[Finding]) -> Redacted:
    """The body without what the findings point at, wherever in it that stands, with masks that tell values apart. Raises `EditError`."""
    root = _root(body, findings)
    masks = Masks()
    for rule, value, texts in _withheld(body, root):
        masks.take(rule, value, texts)
    edit = _Edit(masks, masks.elsewhere())
    edited = edit.of(body, root, ())
    assert isinstance(edited, dict)
    return Redacted(edited, edit.changed)


def _root(body: Mapping[str, object], findings: Iterable[Finding]) -> _Spot:
    root = _Spot()
    for finding in findings:
        _sort_in(root, finding)
    if root.findings or root.is_dropped:
        raise EditError("expected a finding about a part of the message, got one about the whole")
    _check_fit(body, root)
    return root


def _check_fit(value: object, spot: _Spot) -> None:
    if spot.findings or not spot.below:
        return
    children = {str(step): child for step, child in _children(value)}
    if not spot.below.keys() <= children.keys():
        raise EditError("expected pointers to what is there")
    for step, inner in spot.below.items():
        if not inner.is_dropped:
            _check_fit(children[step], inner)


def _sort_in(root: _Spot, finding: Finding) -> None:
    spot = root
    for step in steps(finding.pointer):
        spot = spot.below.setdefault(step, _Spot())
    if finding.part is Part.KEY:
        spot.is_dropped = True
    else:
        spot.findings.append(finding)


_Told = tuple[str, str, tuple[str, ...]]
"""The rule for which a value is withheld, the value, and the texts that say it."""


def _withheld(value: object, spot: _Spot) -> Iterator[_Told]:
    """What is withheld, in the order of the message."""
    if spot.findings:
        yield from _withheld_here(value, spot.findings)
        return
    for step, child in _children(value) if spot.below else ():
        inner = spot.below.get(str(step))
        if inner is not None and not inner.is_dropped:
            yield from _withheld(child, inner)


def _children(value: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)


def _withheld_here(value: object, findings: list[Finding]) -> Iterator[_Told]:
    whole = _whole(value, findings)
    if whole is not None:
        yield whole, _name(value), tuple(_said(value))
        return
    for start, end, rule in sorted((finding.start, finding.end, finding.rule) for finding in findings if not _is_unseen(finding)):
        found = str(value)[start:end]
        yield rule, found, (found,)


def _said(value: object) -> Iterator[str]:
    """What is looked for elsewhere of a value that is withheld whole: itself, or the texts and numbers in it."""
    if isinstance(value, Mapping | list | tuple):
        for _, child in _children(value):
            yield from _said(child)
    elif isinstance(value, str):
        yield value
    elif is_number(value):
        yield _name(value)


def _whole(value: object, findings: list[Finding]) -> str | None:
    """The rule for which a value is withheld altogether; None where parts of it are."""
    whole = [finding.rule for finding in findings if not _is_unseen(finding) and finding.start == finding.end]
    if whole or not isinstance(value, str):
        return min(whole or [finding.rule for finding in findings])
    return None


def _name(value: object) -> str:
    """A value as a text that tells it apart from others."""
    return str(value) if isinstance(value, str) or is_number(value) else repr(value)


class _Edit(msgspec.Struct):
    """One message, being edited."""

    masks: Named
    elsewhere: Elsewhere
    changed: dict[Steps, str] = msgspec.field(default_factory=dict)

    def of(self, value: object, spot: _Spot | None, at: Steps) -> object:
        """A value without what its place and those below it withhold."""
        if spot is not None and spot.findings:
            return self._here(value, spot.findings, at)
        if isinstance(value, Mapping):
            kept = (key for key in value if not self._is_dropped(spot, key, at))
            return {key: self.of(value[key], _below(spot, key), (*at, key)) for key in kept}
        if isinstance(value, list | tuple):
            return [self.of(child, _below(spot, str(index)), (*at, index)) for index, child in enumerate(value)]
        if isinstance(value, str):
            return self._text(value, [], at)
        return self._number(value, at)

    def _is_dropped(self, spot: _Spot | None, key: str, at: Steps) -> bool:
        inner = _below(spot, key)
        # The names of the message itself are the protocol's.
        return (inner is not None and inner.is_dropped) or (at != () and self.elsewhere.is_in_name(key))

    def _here(self, value: object, findings: list[Finding], at: Steps) -> object:
        whole = _whole(value, findings)
        if whole is not None:
            self.changed[at] = whole
            return self.masks.of(whole, _name(value))
        assert isinstance(value, str)
        return self._text(value, findings, at)

    def _text(self, text: str, findings: list[Finding], at: Steps) -> str:
        """A text without its findings' places, and without what is withheld elsewhere."""
        shown = [finding for finding in findings if not _is_unseen(finding)]
        if any(not 0 <= finding.start < finding.end <= len(text) for finding in shown):
            raise EditError("expected places within the text")
        told = self.elsewhere.places(text)
        told += [(one.rule, (one.start, one.end, self.masks.of(one.rule, text[one.start : one.end]))) for one in shown]
        unseen = {finding.rule for finding in findings if _is_unseen(finding)}
        # Found again, since one finding may be about many places.
        told += [(rule, (start, end, "")) for start, end, rule in spans(text) if rule in unseen] if unseen else []
        if not told:
            return text
        self.changed[at] = min(rule for rule, _ in told)
        return _replaced(text, [place for _, place in told])

    def _number(self, value: object, at: Steps) -> object:
        told = self.elsewhere.of_number(value) if is_number(value) else None
        if told is None:
            return value
        self.changed[at], instead = told
        return instead


def _below(spot: _Spot | None, key: str) -> _Spot | None:
    return None if spot is None else spot.below.get(key)


def _is_unseen(finding: Finding) -> bool:
    return finding.guard == UNICODE and finding.rule in SEVERITIES


def _replaced(text: str, places: list[Place]) -> str:
    """Each place replaced by its own text; of those that overlap, all by the first text that says something."""
    apart: list[Place] = []
    for start, end, instead in sorted(places):
        if apart and start < apart[-1][1]:
            first, last, before = apart.pop()
            apart.append((first, max(last, end), before or instead))
        else:
            apart.append((start, end, instead))
    quoting, pieces, at = _Quoting(text), _Pieces(), 0
    for start, end, instead in apart:
        pieces.add(text[at:start])
        pieces.add_mask(quoting.of(start, instead))
        at = end
    pieces.add(text[at:])
    return pieces.joined()


class _Pieces:
    """What is left of a text, with masks set apart where what stands beside them would make them images or links of Markdown."""

    __slots__ = ("_is_mask", "_kept")

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._is_mask = False
        """The last piece is one."""

    def add(self, piece: str) -> None:
        """Some of the text itself."""
        if not piece:
            return
        if self._is_mask and (piece[0] in "([" or (piece[0] == ":" and self._begins_line())):
            self._kept.append(" ")
        self._kept.append(piece)
        self._is_mask = False

    def add_mask(self, mask: str) -> None:
        """What stands there instead; empty where nothing does."""
        if not mask:
            return
        if self._kept and not self._is_mask and self._kept[-1].endswith(("!", "]")):
            self._kept.append(" ")
        self._kept.append(mask)
        self._is_mask = mask.endswith("]")

    def joined(self) -> str:
        """All of it."""
        return "".join(self._kept)

    def _begins_line(self) -> bool:
        """Whether no word stands before the last piece in its line, so that it could be the label of a definition."""
        line = "".join(self._kept[-8:-1]).rpartition("\n")[2]
        return not any(letter.isalnum() for letter in line)


class _Quoting:
    """Whether a mask needs quotes of its own: in a text that is JSON, outside of its strings."""

    __slots__ = ("_at", "_bare", "_quotes")

    def __init__(self, text: str) -> None:
        is_json = text.lstrip()[:1] in {"{", "["} and _is_json(text)
        self._bare = text.replace("\\\\", "  ").replace('\\"', "  ") if is_json else ""
        self._at, self._quotes = 0, 0

    def of(self, start: int, instead: str) -> str:
        """What stands at a place instead; places are asked for in their order."""
        if not self._bare or not instead:
            return instead
        self._quotes += self._bare.count('"', self._at, start)
        self._at = start
        return instead if self._quotes % 2 else f'"{instead}"'


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return False
    return True
