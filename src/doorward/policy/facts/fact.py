"""A declared fact of a tool: where in the arguments it looks, and what it makes of what is there."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import msgspec
from msgspec.structs import replace

from doorward.domain.ids import UpstreamId
from doorward.policy.facts.kind import ELEMENTS, Kind, UnderivedError
from doorward.policy.project import Unheld
from doorward.policy.reads import Tree
from doorward.policy.shapes import Field, Fields, Gap, Many, Shape, word

EVERY = "*"
"""The step of a pointer that stands for every element of a list."""


class Fact(msgspec.Struct, frozen=True):
    """One attribute of `context.derived` for one tool."""

    upstream: UpstreamId
    tool: str
    name: str
    of: tuple[str, ...]
    """The steps of its pointer, unescaped."""
    kind: Kind
    place: str
    """Where it is declared, for messages: `upstreams.bank.tools.pay.facts.amount`."""

    @property
    def is_many(self) -> bool:
        """Whether it is of the elements of a list."""
        return EVERY in self.of

    @property
    def shape(self) -> Shape:
        """What Cedar holds of it."""
        return self.kind.shape_of_many if self.is_many else self.kind.shape

    @property
    def text(self) -> str:
        """Everything that it depends on, always written in the same way."""
        parts = [self.upstream, self.tool, self.name, self.of, self.kind.word, *self.kind.options]
        return msgspec.json.encode(parts).decode()

    def derive(self, arguments: Mapping[str, object]) -> tuple[object, ...]:
        """The fact of these arguments as a tuple of one; an empty one if the argument is absent. Raises `UnderivedError`."""
        found = list(_at(arguments, self.of))
        if not self.is_many:
            return (self.kind.one(found[0]),) if found else ()
        if not found and not _has_list(arguments, self.of):
            return ()
        return (self.kind.many(found),)


class Derived:
    """The facts of one call, each worked out when it is first read, and never twice."""

    __slots__ = ("_arguments", "_facts", "_found")

    def __init__(self, facts: Mapping[str, Fact], arguments: Mapping[str, object]) -> None:
        self._facts = facts
        self._arguments = arguments
        self._found: dict[str, tuple[object, ...] | Unheld] = {}

    def read(self, tree: Tree) -> dict[str, object] | Unheld:
        """The facts that are read and there, by name; or the first that cannot be derived."""
        held: dict[str, object] = {}
        for name in self._facts if tree.is_whole else tree.parts:
            found = self.of(name)
            if isinstance(found, Unheld):
                return found
            if found:
                held[name] = found[0]
        return held

    def of(self, name: str) -> tuple[object, ...] | Unheld:
        """One fact as a tuple of one, empty where there is none."""
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._derive(name)
        return found

    def _derive(self, name: str) -> tuple[object, ...] | Unheld:
        fact = self._facts.get(name)
        if fact is None:
            return ()
        try:
            return fact.derive(self._arguments)
        except UnderivedError as error:
            return Unheld(("derived", name), error.reason)


def facts_text(facts: Sequence[Fact]) -> str:
    """All facts of a configuration in one order, whatever order they are declared in: part of a policy set's digest."""
    return "\n".join(sorted(fact.text for fact in facts))


def derived_shape(facts: Mapping[str, Fact], arguments: Fields) -> Fields:
    """The shape of `context.derived` for a tool with these facts and arguments."""
    return Fields({name: Field(fact.shape, required=_is_required(fact, arguments)) for name, fact in facts.items()}, {})


class Unfit(msgspec.Struct, frozen=True):
    """Stands in for a kind where a fact does not fit its tool: whoever reads it is denied."""

    reason: str
    instead_of: Kind
    is_many: bool

    @property
    def word(self) -> str:
        """That of the kind."""
        return self.instead_of.word

    @property
    def takes(self) -> tuple[type, ...]:
        """Nothing."""
        return ()

    @property
    def options(self) -> tuple[object, ...]:
        """Those of the kind."""
        return self.instead_of.options

    @property
    def shape(self) -> Shape:
        """What the kind would have given, so that policies can be checked."""
        return self.instead_of.shape_of_many if self.is_many else self.instead_of.shape

    @property
    def shape_of_many(self) -> Shape:
        """The same."""
        return self.shape

    def one(self, value: object) -> object:
        """Nothing can be derived."""
        raise UnderivedError(self.reason)

    def many(self, values: Sequence[object]) -> object:
        """Nothing can be derived."""
        raise UnderivedError(self.reason)


def unfit(fact: Fact, reason: str) -> Fact:
    """A fact that denies whoever reads it, whatever the arguments."""
    return replace(fact, of=(), kind=Unfit(reason, fact.kind, fact.is_many))


def misfit(fact: Fact, arguments: Fields | None) -> str | None:
    """Why a fact cannot be of a tool with these arguments (None: nobody knows its arguments); None if it can."""
    if isinstance(fact.kind, Unfit):
        return fact.kind.reason
    if arguments is None:
        return None
    here: Shape = arguments
    for number, step in enumerate(fact.of, 1):
        at = "/" + "/".join(fact.of[:number])
        below = _below(here, step)
        if below is None:
            return f"the tool's schema has no argument {at}"
        if isinstance(below, Gap):
            return None  # of several types, or of none that Cedar knows: what comes is looked at when it comes
        here = below
    if isinstance(here, fact.kind.takes):
        return None
    hint = "; end the pointer in /* to take each element" if isinstance(here, Many) else ""
    return f"a fact of the kind {fact.kind.word} cannot be derived of {word(here)}{hint}"


def _below(shape: Shape, step: str) -> Shape | Gap | None:
    match shape:
        case Many(element=element) if step == EVERY:
            return element
        case Fields(fields=fields, gaps=gaps) if step != EVERY:
            if step in fields:
                return fields[step].shape
            # A schema that names no property at all takes anything.
            return Gap("not described") if step in gaps or not (fields or gaps) else None
    return None


def _is_required(fact: Fact, arguments: Fields) -> bool:
    here: Shape = arguments
    if isinstance(fact.kind, Unfit):
        return True  # policies are checked as if it were there, and denied
    for step in fact.of:
        if step == EVERY:
            return True  # an empty list has a fact as well
        field = here.fields.get(step) if isinstance(here, Fields) else None
        if field is None or not field.required:
            return False
        here = field.shape
    return True


def _at(value: object, steps: Sequence[str]) -> Iterator[object]:
    """Whatever stands at a pointer; `null` counts as absent. Raises `UnderivedError` where it leads into what has no parts."""
    found: list[object] = [value]
    for step in steps:
        # One more than may be: a list of lists is not written out before it is known to be too long.
        found = list(islice((inner for one in found for inner in _step(one, step)), ELEMENTS + 1))
        if len(found) > ELEMENTS:
            raise UnderivedError(f"it is of more than {ELEMENTS} elements")
    return iter(found)


def _step(value: object, step: str) -> Sequence[object]:
    if step == EVERY:
        if not isinstance(value, list | tuple):
            raise UnderivedError("it is of the elements of a list, and there is no list")
        return value
    if not isinstance(value, Mapping):
        raise UnderivedError("it is of a part of an object, and there is no object")
    inner = value.get(step)
    return () if inner is None else (inner,)


def _has_list(arguments: Mapping[str, object], steps: Sequence[str]) -> bool:
    """Whether the first list of a pointer is there, however short."""
    return bool(list(_at(arguments, steps[: steps.index(EVERY)])))
