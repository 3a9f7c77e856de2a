"""Guards of what an operator names as their own: fields, words and documents; kept from one generation to the next where nothing changed."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from doorward.config.model import Document
from doorward.config.personal import DictionaryRule, DocumentsRule, FieldRule
from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Direction
from doorward.inspection.fields import pattern
from doorward.inspection.guards.fields import Field, Fields
from doorward.inspection.guards.own import DICTIONARY, DOCUMENTS, Own
from doorward.inspection.own.documents import Parts, prints
from doorward.inspection.own.words import Words
from doorward.inspection.places import Seeker
from doorward.inspection.view import Guard

R = TypeVar("R", DictionaryRule, DocumentsRule)


class DocumentError(DoorwardError):
    """A document that cannot be read."""


class Owned:
    """Makes these guards. What reading files and compiling words took is kept as long as a document asks for the same."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: dict[str, tuple[DictionaryRule | DocumentsRule, Seeker]] = {}

    def of(self, document: Document) -> tuple[Guard, ...]:
        """The guards that a document asks for; none for what it does not name. Raises `DoorwardError` where a file has gone meanwhile."""
        rules = document.inspection
        made: dict[str, tuple[DictionaryRule | DocumentsRule, Seeker]] = {}
        guards: list[Guard] = [Fields([_field(field) for field in rules.fields])] if rules.fields else []
        if rules.dictionaries:
            guards.append(self._own(DICTIONARY, "Words and phrases of yours", rules.dictionaries, _words, made))
        if rules.documents:
            guards.append(self._own(DOCUMENTS, "Parts of documents of yours", rules.documents, _parts, made))
        self._made = made
        return tuple(guards)

    def _own(
        self,
        name: str,
        about: str,
        rules: Mapping[str, R],
        make: Callable[[str, R], Seeker],
        made: dict[str, tuple[DictionaryRule | DocumentsRule, Seeker]],
    ) -> Own:
        named = {f"{name}_{each}": rule for each, rule in rules.items()}
        for each, rule in named.items():
            before = self._made.get(each)
            made[each] = before if before is not None and before[0] == rule else (rule, make(each, rule))
        return Own(name, about, [made[each][1] for each in named], {each: rule.severity for each, rule in named.items()})


def _field(rule: FieldRule) -> Field:
    return Field(
        rule=f"field_{rule.name}",
        severity=rule.severity,
        patterns=frozenset(map(pattern, rule.pointers)),
        directions=frozenset(map(Direction, rule.directions)),
        upstreams=frozenset(rule.upstreams),
        tools=frozenset(rule.tools),
    )


def _words(name: str, rule: DictionaryRule) -> Seeker:
    return Words(name, rule.severity, rule.words, case=rule.case, match=rule.match)


def _parts(name: str, rule: DocumentsRule) -> Seeker:
    return Parts(name, rule.severity, prints(_read(Path(path)) for path, *_ in rule.found))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise DocumentError(f"the document {path} cannot be read: {error.strerror}") from None
