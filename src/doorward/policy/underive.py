"""Back from a derived fact to an argument of which it would be derived, where there is an obvious one.

What comes out is only proposed: whoever uses it derives the fact again and sees whether it comes out as wanted.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from doorward.policy.facts.fact import Derived, Fact
from doorward.policy.facts.kind import CHARACTERS, Kind
from doorward.policy.facts.path import Path as PathKind
from doorward.policy.project import Unheld
from doorward.policy.shapes import Shape

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:[^/?#@]*@)?(?P<host>\[[^\]]*\]|[^/?#:]*)(?P<port>:\d+)?(?P<path>[^?#]*)(?P<rest>.*)",
    re.DOTALL,
)


def derived(facts: Mapping[str, Fact], arguments: Mapping[str, object], parts: Sequence[str]) -> tuple[object, bool]:
    """What stands at a path below `context.derived`, and whether it is there."""
    name, *attributes = parts
    found = Derived(facts, arguments).of(name)
    if isinstance(found, Unheld) or not found:
        return None, False
    value = found[0]
    for attribute in attributes:
        if not isinstance(value, Mapping) or attribute not in value:
            return None, False
        value = value[attribute]
    return value, True


def argument_for(fact: Fact, attribute: str, wanted: object, now: object) -> object | None:
    """Another value of the argument that a fact is derived of, so that an attribute of it (empty: itself) may become what is wanted."""
    match fact.kind.word, attribute, wanted:
        case "url", _, _:
            return _url(now if isinstance(now, str) else "https://example.com/", attribute, wanted)
        case "email", "domains", [_, *_]:
            return _addresses(now, [str(domain) for domain in wanted], fact)
        case "path", "root", str():
            return _path(fact, wanted)
        case "decimal" | "length", "", _:
            return _measure(fact, wanted, now)
    return None


def _measure(fact: Fact, wanted: object, now: object) -> object | None:
    """A number, or a text of a length."""
    if fact.kind.word == "decimal":
        return None if fact.is_many else str(wanted) if isinstance(now, str) else wanted
    # Of a longer one nothing could be derived.
    is_possible = isinstance(wanted, int) and 0 <= wanted <= CHARACTERS
    return now[:wanted].ljust(wanted, "x") if isinstance(now, str) and isinstance(wanted, int) and is_possible else None


def _path(fact: Fact, root: str) -> str | None:
    """A path in a root, by the root's name."""
    roots = fact.kind.roots if isinstance(fact.kind, PathKind) else {}
    return f"{roots[root]}/x" if root in roots else None


def _url(now: str, attribute: str, wanted: object) -> str | None:
    found = _URL.fullmatch(now)
    if found is None or attribute not in ("scheme", "host", "path", "port"):
        return None
    parts = {**found.groupdict(default=""), attribute: f":{wanted}" if attribute == "port" else str(wanted)}
    return f"{parts['scheme']}://{parts['host']}{parts['port']}{parts['path']}{parts['rest']}"


def _addresses(now: object, domains: Sequence[str], fact: Fact) -> object:
    """Of some addresses those of the domains; somebody there if none is left."""
    given = [text.strip() for text in now if isinstance(text, str)] if isinstance(now, list | tuple) else str(now or "").split(",")
    kept = [text.strip() for text in given if text.strip().rpartition("@")[2].rstrip(">") in domains]
    named = {text.rpartition("@")[2].rstrip(">") for text in kept}
    kept += [f"somebody@{domain}" for domain in domains if domain not in named]
    return kept if fact.is_many or isinstance(now, list | tuple) else ", ".join(kept)


class Said(msgspec.Struct, frozen=True):
    """A kind of fact of which one attribute is what somebody supposes."""

    kind: Kind
    attributes: tuple[str, ...]
    value: object

    @property
    def word(self) -> str:
        """That of the kind."""
        return self.kind.word

    @property
    def takes(self) -> tuple[type, ...]:
        """Those of the kind."""
        return self.kind.takes

    @property
    def options(self) -> tuple[object, ...]:
        """Those of the kind."""
        return self.kind.options

    @property
    def shape(self) -> Shape:
        """That of the kind."""
        return self.kind.shape

    @property
    def shape_of_many(self) -> Shape:
        """That of the kind."""
        return self.kind.shape_of_many

    def one(self, value: object) -> object:
        """What the kind derives, with what is supposed."""
        return _put(self.kind.one(value), self.attributes, self.value)

    def many(self, values: Sequence[object]) -> object:
        """The same of a list."""
        return _put(self.kind.many(values), self.attributes, self.value)


def said(facts: Mapping[str, Fact], supposed: Sequence[tuple[tuple[str, ...], object]]) -> Mapping[str, Fact]:
    """Facts with what is supposed of them, by the names below `context.derived`."""
    found = dict(facts)
    for (name, *attributes), value in supposed:
        if name in found:
            held = list(value) if isinstance(value, tuple) else value
            found[name] = replace(found[name], kind=Said(found[name].kind, tuple(attributes), held))
    return found


def _put(value: object, attributes: tuple[str, ...], new: object) -> object:
    if not attributes:
        return new
    if not isinstance(value, Mapping):
        return value
    name, *rest = attributes
    return {**value, name: _put(value.get(name), tuple(rest), new)}
