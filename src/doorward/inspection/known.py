"""Which arguments a tool's schema knows, whatever else it says of them (JSON Schema 2020-12, as far as names go).

JSON Schema lets through what a schema does not mention; a server's code may not (a parameter that was forgotten in the schema, one of
a debugger). Where a schema names arguments and does not say that others may come, others may not.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from doorward.inspection.patterns import matcher
from doorward.inspection.reach import NOT_AT_ALL, here, reach

_OTHERS = ("additionalProperties", "unevaluatedProperties")


class Known(msgspec.Struct, frozen=True):
    """The names that a schema knows."""

    names: frozenset[str]
    patterns: tuple[Callable[[str], bool], ...]

    def first_unknown(self, arguments: Mapping[str, object]) -> str | None:
        """The first argument of another name; None if there is none."""
        strange = (name for name in arguments if name not in self.names)
        return next((name for name in strange if not any(matches(name) for matches in self.patterns)), None)


def known(schema: object) -> Known | None:
    """The names of arguments that a schema knows; None where it lets any name in, or says nothing of names."""
    if not isinstance(schema, dict) or reach(schema) == NOT_AT_ALL:
        return None  # nothing is checked against it: the guard refuses the call whatever its arguments are called
    found = list(_in_one_place(schema))
    if any(part.get(key, False) is not False for part in found for key in _OTHERS):
        return None
    named = [part[key] for part in found for key in ("properties", "patternProperties") if isinstance(part.get(key), dict)]
    if not named:
        return None
    return Known(frozenset(_names(found)), tuple(matcher(pattern) for part in found for pattern in _keys(part, "patternProperties")))


def _in_one_place(root: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """A schema and everything that it applies to the same object, each once. Bounded, for `reach` has counted them."""
    waiting, met = [root], {id(root)}
    for schema in waiting:
        yield schema
        fresh = [inner for inner in here(schema, root) if id(inner) not in met]
        met.update(map(id, fresh))
        waiting.extend(fresh)


def _names(found: list[Mapping[str, object]]) -> Iterator[str]:
    for part in found:
        yield from _keys(part, "properties")
        required = part.get("required")
        # A name that is required and nowhere described would be refused with it, and missed without.
        yield from (name for name in (required if isinstance(required, list) else ()) if isinstance(name, str))


def _keys(part: Mapping[str, object], key: str) -> Iterator[str]:
    inner = part.get(key)
    yield from inner if isinstance(inner, dict) else ()
