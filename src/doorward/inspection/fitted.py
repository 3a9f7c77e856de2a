"""Masks in a structured result that its tool's output schema lets through: a mask, or null, or nothing, or a placeholder.

A program reads these: a result that breaks the schema it was promised by is no use to it. Where something else than a mask stands, that
is told beside the result, so that nobody takes it for a value. Where nothing fits, the result is withheld as a whole.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum

import msgspec

from doorward.domain.calls import Fault
from doorward.inspection.edit import EditError, Redacted, Steps
from doorward.inspection.walk import escape

STRUCTURED = "structuredContent"

WITHHELD_KEY = "dev.doorward/withheld"
"""The `_meta` key under which it is told what stands there instead."""

MOST_TRIES = 128
"""Validations of one result: each tries the next form in all places of one sort."""

MOST_TOLD = 64
"""Places that are told of; the last one tells of all that follow."""

MOST_REFERENCES = 16

Breaks = Callable[[Mapping[str, object]], str | None]
"""The pointer to where a result breaks the schema that it was promised by; None where it keeps to it."""

Schema = Mapping[str, object]


class _Absent(Enum):
    """No member at all."""

    ABSENT = "absent"


_ABSENT = _Absent.ABSENT

Withheld = Mapping[str, str]
"""Pointer, rule, and what stands there instead: `null`, `absent` or `placeholder`."""


class Fitted(msgspec.Struct, frozen=True):
    """An answer's body that keeps to its schema, and what stands in the places of values in it."""

    body: Mapping[str, object] | Fault
    withheld: tuple[Withheld, ...] = ()


class _Sort(msgspec.Struct):
    """The places of one sort, such as a field of all rows."""

    places: list[Steps]
    forms: tuple[object, ...]
    chosen: int = -1
    """Below 0: the mask."""

    @property
    def form(self) -> object:
        return self.forms[self.chosen]


def fitted(result: Mapping[str, object], edit: Redacted, breaks: Breaks, schema: object) -> Fitted:
    """A result, edited, in a form that its schema lets through if it did before; raises `EditError` where there is none.

    The edited body is used up.
    """
    sorts = _sorts(edit, schema)
    if not sorts or breaks(result) is not None:
        return Fitted(edit.body)
    for _ in range(MOST_TRIES):
        broken = breaks(edit.body)
        if broken is None:
            return Fitted(edit.body, tuple(_told(edit, sorts)))
        sort = _next(sorts, broken)
        if sort is None:
            break
        sort.chosen += 1
        for place in sort.places:
            _put(edit.body, place, sort.form)
    raise EditError("expected a form of what is withheld that the output schema lets through")


def _sorts(edit: Redacted, schema: object) -> list[_Sort]:
    found: dict[Steps, _Sort] = {}
    for place in edit.changed:
        if place[0] != STRUCTURED or len(place) == 1:
            continue
        shape = tuple("*" if isinstance(step, int) else step for step in place)
        if shape not in found:
            found[shape] = _Sort([], _forms(place, _part(schema, schema, place[1:])))
        found[shape].places.append(place)
    return list(found.values())


def _forms(place: Steps, part: Schema) -> tuple[object, ...]:
    """What may stand in a place instead of a mask, the most honest first."""
    absent = () if isinstance(place[-1], int) else (_ABSENT,)
    shortest = part.get("minLength")
    texts = ("", "*" * shortest) if isinstance(shortest, int) and 0 < shortest <= 1024 else ("",)
    bounds = tuple(part[key] for key in ("minimum", "maximum") if key in part)
    options = part.get("enum")
    given = tuple(options[:1]) if isinstance(options, list) else ()
    return (None, *absent, *texts, 0, *bounds, False, [], {}, *given, *((part["const"],) if "const" in part else ()))


def _part(schema: object, root: object, place: Steps) -> Schema:
    """The part of a schema that is about a place, as far as properties, items and references by pointer lead."""
    for step in place:
        inner = _at(_referred(schema, root), "items" if isinstance(step, int) else "properties")
        schema = inner if isinstance(step, int) else _at(inner, step)
    found = _referred(schema, root)
    return found if isinstance(found, Mapping) else {}


def _referred(schema: object, root: object) -> object:
    for _ in range(MOST_REFERENCES):
        reference = _at(schema, "$ref")
        if not (isinstance(reference, str) and reference.startswith("#/")):
            break
        schema = root
        for step in reference[2:].split("/"):
            schema = _at(schema, step)
    return schema


def _at(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _next(sorts: list[_Sort], broken: str) -> _Sort | None:
    """The sort of which another form is tried: that of the place itself, else one that left a member out there, else one below or above."""
    left = [sort for sort in sorts if sort.chosen + 1 < len(sort.forms)]
    ranked = (
        lambda sort, at: at == broken,
        lambda sort, at: sort.chosen >= 0 and sort.form is _ABSENT and at.rpartition("/")[0] == broken,
        lambda sort, at: at.startswith(broken + "/"),
        lambda sort, at: broken.startswith(at + "/"),
    )
    return next((sort for fits in ranked for sort in left if any(fits(sort, _pointer(place)) for place in sort.places)), None)


def _put(body: dict[str, object], place: Steps, form: object) -> None:
    holder: object = body
    for step in place[:-1]:
        # What `redacted` gives is made of new dictionaries and lists.
        holder = holder[step]  # type: ignore[index]
    if form is not _ABSENT:
        holder[place[-1]] = form  # type: ignore[index]
    elif isinstance(holder, dict):
        holder.pop(place[-1], None)


def _told(edit: Redacted, sorts: list[_Sort]) -> Iterator[Withheld]:
    places = [(place, sort.form) for sort in sorts if sort.chosen >= 0 for place in sort.places]
    for place, form in places[:MOST_TOLD]:
        said = "null" if form is None else "absent" if form is _ABSENT else "placeholder"
        yield {"pointer": _pointer(place), "rule": edit.changed[place], "instead": said}
    if len(places) > MOST_TOLD:
        yield {"pointer": f"/{STRUCTURED}", "rule": "more", "instead": str(len(places) - MOST_TOLD)}


def _pointer(place: Steps) -> str:
    return "".join(map(escape, place))
