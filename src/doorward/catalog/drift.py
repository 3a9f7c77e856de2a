"""How a definition differs from the accepted one, field by field, with nothing cut and nothing invisible; and what kind of change it is."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, StrEnum

import msgspec

from doorward.catalog.text import is_visible, visible
from doorward.wire.jsonrpc import dump

LINES = 400
"""Lines of one text that are aligned with each other; longer texts are shown whole, the old one and the new one."""

NARROWING = frozenset(
    "pattern maxLength minLength maximum minimum exclusiveMaximum exclusiveMinimum maxItems minItems multipleOf const format enum "
    "maxProperties minProperties uniqueItems required additionalProperties".split()
)
"""Keywords that a schema accepts more without."""


class Absent(Enum):
    """Stands where one side has nothing."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class Hint(StrEnum):
    """What kind of change it is, for whoever has to decide, the gravest first; several may hold."""

    ORDERS = "new instructions to the model"
    """Something is found in it that was not in what was accepted (see `poison`)."""
    HIDDEN_TEXT = "hidden text"
    SIDE_EFFECT = "new side effect"
    """It speaks of doing something, reaches out by a parameter, or says so itself, as the accepted one did not."""
    ANNOTATIONS_WEAKER = "annotations weaker"
    """The server now claims to be more harmless."""
    ADDRESS = "new address"
    INPUT_WIDER = "wider input"
    INPUT_NARROWER = "narrower input"
    INPUT = "input"
    OUTPUT = "output"
    WORDING = "wording"
    ANNOTATIONS = "annotations"
    OTHER = "other fields"


class Change(msgspec.Struct, frozen=True):
    """One field that differs; `ABSENT` where a side has none."""

    path: tuple[str, ...]
    before: object
    after: object

    @property
    def pointer(self) -> str:
        """The field as an RFC 6901 pointer."""
        return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in self.path)


def changes(before: Mapping[str, object] | None, after: Mapping[str, object] | None) -> tuple[Change, ...]:
    """Every field that differs, sorted by path; None stands for no definition at all."""
    old, new = dict(_leaves(before or {}, ())), dict(_leaves(after or {}, ()))
    filled = _above(old) | _above(new)
    return tuple(
        Change(path, old.get(path, ABSENT), new.get(path, ABSENT))
        for path in sorted(old.keys() | new.keys())
        # An empty object that is filled on the other side is told by what fills it.
        if not (path in filled and old.get(path, new.get(path)) in ({}, []))
        and (path not in old or path not in new or not _is_same(old[path], new[path]))
    )


def _above(leaves: Iterable[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Every path that something stands below of."""
    return {path[:end] for path in leaves for end in range(len(path))} | {()}


def hints(differences: tuple[Change, ...]) -> tuple[Hint, ...]:
    """What kinds of change there are, in a fixed order."""
    found = {hint for change in differences for hint in _hints(change)}
    return tuple(hint for hint in Hint if hint in found)


def render(differences: tuple[Change, ...]) -> str:
    """The differences as lines: `-` was accepted, `+` is offered now."""
    return "\n".join(line for change in differences for line in (visible(change.pointer) or "/", *_lines(change)))


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Fields with plain values; a list of plain values is one field, so that an item more does not shift all others."""
    match value:
        case Mapping() if value:
            for key, inner in value.items():
                yield from _leaves(inner, (*path, str(key)))
        case list() if any(isinstance(item, Mapping | list) for item in value):
            for index, inner in enumerate(value):
                yield from _leaves(inner, (*path, str(index)))
        case _:
            yield path, value


def _is_same(before: object, after: object) -> bool:
    return before is after or (type(before) is type(after) and before == after and dump(before) == dump(after))


def _lines(change: Change) -> Iterator[str]:
    before, after = _text(change.before), _text(change.after)
    if 1 < max(len(before), len(after)) <= LINES and before and after:
        yield from (f"  {line}" for line in difflib.unified_diff(before, after, n=2, lineterm="") if line[:3] not in {"---", "+++"})
        return
    yield from (f"  -{line}" for line in before)
    yield from (f"  +{line}" for line in after)


def _text(value: object) -> list[str]:
    match value:
        case Absent():
            return []
        case str():
            return visible(value).split("\n")
        case _:
            return [visible(dump(value).decode())]


def _hints(change: Change) -> Iterator[Hint]:
    yield from _of_text(change)
    match change.path:
        case (*_, ("description" | "title" | "$comment" | "instructions")) if not isinstance(change.after, Mapping | list):
            yield Hint.WORDING
        case ("inputSchema" | "arguments", *_):
            yield _of_input(change)
        case ("outputSchema", *_):
            yield Hint.OUTPUT
        case ("annotations", *_):
            yield Hint.ANNOTATIONS_WEAKER if _is_weaker(change) else Hint.ANNOTATIONS
        case _:
            yield Hint.OTHER


def _of_input(change: Change) -> Hint:
    if _is_wider(change):
        return Hint.INPUT_WIDER
    return Hint.INPUT_NARROWER if _is_wider(Change(change.path, change.after, change.before)) else Hint.INPUT


def _of_text(change: Change) -> Iterator[Hint]:
    before, after = ("" if value is ABSENT else dump(value).decode() for value in (change.before, change.after))
    if any(not is_visible(letter) and letter not in before for letter in after):
        yield Hint.HIDDEN_TEXT
    if after.count("://") > before.count("://"):
        yield Hint.ADDRESS


def _is_wider(change: Change) -> bool:
    """Whether a change lets arguments through, or asks for some, that were not before: more is accepted, or there is more to fill in."""
    keyword = change.path[-1]
    if change.before is ABSENT:
        return keyword not in NARROWING
    if change.after is ABSENT:
        return keyword in NARROWING
    match keyword, change.before, change.after:
        case "enum" | "type", list() as old, list() as new:
            return any(item not in old for item in new)
        case "required", list() as old, list() as new:
            return any(item not in new for item in old)
        case (("maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties"), _, _):
            return _is_more(change.after, change.before)
        case (("minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties"), _, _):
            return _is_more(change.before, change.after)
        case "additionalProperties", False, _:
            return True
        case _:
            return False


def _is_more(one: object, other: object) -> bool:
    return isinstance(one, int | float) and isinstance(other, int | float) and one > other


def _is_weaker(change: Change) -> bool:
    """Whether the server now claims to be more harmless than before."""
    match change.path[-1], change.after:
        case (("readOnlyHint" | "idempotentHint"), True):
            return True
        case (("destructiveHint" | "openWorldHint"), False):
            return True
        case _:
            return False
