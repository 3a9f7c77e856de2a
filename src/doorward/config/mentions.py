"""Where a document refers to secrets: every reference with its place, whatever part of the document it stands in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from doorward.config.model import Document
from doorward.config.part import Part, Refers
from doorward.config.problems import Step
from doorward.config.references import MalformedError, Pointer, references_in


@dataclass(frozen=True, slots=True)
class Mention:
    """One reference at one place."""

    pointer: Pointer
    path: tuple[Step, ...]

    def owner(self, document: Document) -> str:
        """The team that the secret is for: that of its upstream; empty where the gateway itself needs it."""
        match self.path:
            case ("upstreams", str(name), *_) if name in document.upstreams:
                return document.upstreams[name].team
            case _:
                return ""


def mentions(document: Document) -> Iterator[Mention]:
    """Every reference of a document in its order. Malformed ones are left out: what is wrong with them is said where they are checked."""
    yield from _in(document, (), is_read=False)


def _in(value: object, path: tuple[Step, ...], *, is_read: bool) -> Iterator[Mention]:
    match value:
        case Part():
            for name, field in type(value).model_fields.items():
                yield from _in(getattr(value, name), (*path, name), is_read=_refers((field.annotation, *field.metadata)))
        case Mapping():
            for name, inner in value.items():
                yield from _in(inner, (*path, name), is_read=is_read)
        case tuple():
            for index, inner in enumerate(value):
                yield from _in(inner, (*path, index), is_read=is_read)
        case str() if is_read:
            yield from (Mention(pointer, path) for pointer in _pointers(value))
        case _:
            return


def _refers(annotations: Iterable[object]) -> bool:
    """Whether references are read in the texts of a type, by the mark of `Reference`."""
    return any(isinstance(one, Refers) or _refers((*get_args(one), *getattr(one, "__metadata__", ()))) for one in annotations)


def _pointers(text: str) -> tuple[Pointer, ...]:
    try:
        return references_in(text)
    except MalformedError:
        return ()
